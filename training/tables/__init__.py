"""Tables: purchase files of any kind as lazy frames, before anybody knows what their columns mean."""
