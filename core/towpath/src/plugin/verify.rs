//! `towpath plugin verify`.

use cli::{Output, text};

use super::args::VerifyArgs;
use super::{Place, Verdict, json, travels, trust, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &VerifyArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let place = Place::of(&args.reference, &args.places)?;
    let trust = trust::given(args.key.as_deref(), args.trust.as_deref(), false)?;
    let (what, signers) = place.verify(&trust).await.map_err(|error| travels(&error))?;
    let signers: Vec<_> = signers.iter().map(ToString::to_string).collect();
    if output.context.json {
        json(&serde_json::json!({ "reference": place.named(&what), "signedBy": signers }), output)?;
        return Ok(Verdict::Good);
    }
    writeln!(output.out, "verified    {}", place.named(&what)).map_err(unsaid)?;
    for signer in &signers {
        writeln!(output.out, "signed by   {}", text::line(signer)).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
