"""The ports on Google Cloud: Firestore, Pub/Sub, Secret Manager, Cloud Logging. Nothing is built at import."""
