"""The cloud as components: everything that shared.topology names is provisioned, and nothing extra is granted.

`deployment`, `names` and `matrix` are plain data and import no Pulumi; the other modules are component resources.
"""
