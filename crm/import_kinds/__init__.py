"""The kinds of records of the ground floor that can be imported, a file each."""
