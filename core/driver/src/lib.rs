//! Effects become plugin calls; retry, deadline; the outcome goes back as a command.
