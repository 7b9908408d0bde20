//! Whom a command line says to believe.

use std::path::Path;

use distribution::{KeyConfig, Rule, Trust, TrustConfig};

use super::travels;
use crate::failure::Failure;

/// How the key of the command line is called.
const GIVEN: &str = "given";

/// Returns whom a key, a file of trust, or the will to take anything makes believed.
pub(super) fn given(key: Option<&Path>, file: Option<&Path>, unsigned: bool) -> Result<Trust, Failure> {
    let trust = match (key, file, unsigned) {
        (Some(key), ..) => {
            let keys = [(GIVEN.to_owned(), KeyConfig { file: key.to_owned(), transparency_log: false })].into();
            let rule = Rule { references: "**".to_owned(), signed_by: vec![GIVEN.to_owned()], allow_unsigned: false };
            Trust::new(TrustConfig { keys, rules: vec![rule], ..TrustConfig::default() }, Path::new(""))
        }
        (None, Some(file), _) => Trust::from_file(file),
        (None, None, true) => Ok(Trust::unsigned()),
        (None, None, false) => {
            let message = "nobody is believed: neither --key, nor --trust, nor --allow-unsigned is given";
            return Err(Failure::new("TP0625", message).usage());
        }
    };
    trust.map_err(|error| travels(&error))
}
