//! `tripline schema`: the JSON Schema of probes.yaml.

use anyhow::Context;

use super::Ending;

pub(super) fn run() -> anyhow::Result<Ending> {
    let schema = serde_json::to_string_pretty(&crate::config::schema()).context("the schema cannot be written")?;
    println!("{schema}");
    Ok(Ending::Well)
}
