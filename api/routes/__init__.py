"""Routes of the API, one `blueprint` a module. Views are thin: parse, call the library, answer."""
