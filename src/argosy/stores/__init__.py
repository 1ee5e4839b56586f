"""Object stores: four verbs."""
