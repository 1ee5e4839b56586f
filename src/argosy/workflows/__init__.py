"""One file per operation: `admit`, which the API calls, and below it and in order the steps."""
