//! Write a Towpath plugin: implement a trait, derive the settings, done.
