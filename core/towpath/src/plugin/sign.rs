//! `towpath plugin sign`.

use cli::Output;
use distribution::{SignatureFormat, SigningKey};

use super::args::{Format, SignArgs};
use super::{Place, Verdict, json, read, travels, unsaid};
use crate::failure::Failure;
use crate::settings;

pub(super) async fn run(args: &SignArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let what = Place::of(&args.reference, &args.places)?;
    let pem = String::from_utf8(read(&args.key)?)
        .map_err(|_| Failure::new("TP0625", format!("{} is no key: it is not text", args.key.display())).usage())?;
    let key = SigningKey::from_pem(&pem, settings::key_password().as_deref()).map_err(|error| travels(&error))?;
    let format = match args.format {
        Format::Bundle => SignatureFormat::Bundle,
        Format::Simple => SignatureFormat::Simple,
    };
    let signed = what.sign(&key, format).await.map_err(|error| travels(&error))?;
    let signed = what.named(&signed);
    if output.context.json {
        json(&serde_json::json!({ "reference": signed }), output)?;
    } else {
        writeln!(output.out, "signed {signed}").map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
