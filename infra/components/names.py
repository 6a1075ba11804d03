"""What everything is called in the cloud. Names and addresses are computed, never looked up.

A Cloud Run service answers at https://NAME-PROJECTNUMBER.REGION.run.app, an address that is known before the service
exists. It is the audience of pushes, the sign-in link, and what the owner registers with E*TRADE.
"""

MAX_NAME = 63  # characters of the first part of a host's name, and of a service's name
MAX_ACCOUNT = 30
DEAD_LETTERS = "dead-letters"


def dashed(name: str) -> str:
    """Give a function's name as Google wants names."""
    return name.replace("_", "-")


def host_name(function: str, project_number: str) -> str:
    """Give the first part of a service's host name."""
    return f"{dashed(function)}-{project_number}"


def address(function: str, *, project_number: str, region: str) -> str:
    """Give the address of a function's service."""
    return f"https://{host_name(function, project_number)}.{region}.run.app"


def subscription(topic: str, function: str) -> str:
    """Name the subscription by which a function receives a topic."""
    return f"{topic}-to-{dashed(function)}"


def databases(generation: int) -> str:
    """Give how the databases' names begin; a deleted one keeps its name for some minutes."""
    return f"desk-{generation}"


def function_account(function: str) -> str:
    """Name the account that a function runs as."""
    return f"run-{dashed(function)}"


def push_account(function: str) -> str:
    """Name the account that pushes messages to a function."""
    return f"push-{dashed(function)}"


BUILD_ACCOUNT = "build-functions"


def email(account: str, project: str) -> str:
    """Give the address of an account of the project."""
    return f"{account}@{project}.iam.gserviceaccount.com"


def agent_email(agent: str, project_number: str) -> str:
    """Give the address of an account by which Google itself acts in the project."""
    return f"service-{project_number}@gcp-sa-{agent}.iam.gserviceaccount.com"
