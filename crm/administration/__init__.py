"""What every app's admin stands on: the site, the scoped base class, a record's history."""
