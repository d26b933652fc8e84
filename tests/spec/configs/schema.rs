//! The JSON Schema: it has the shape of what the loader reads.

use super::*;

/// Whether a value has the shape that a schema describes, as far as our schema goes.
fn fits(value: &serde_json::Value, schema: &serde_json::Value, whole: &serde_json::Value) -> Result<(), String> {
    use serde_json::Value;
    if let Some(name) = schema["$ref"].as_str() {
        return fits(value, &whole["$defs"][name.trim_start_matches("#/$defs/")], whole);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let faults: Result<Vec<_>, _> = any.iter().map(|one| fits(value, one, whole).err().ok_or(())).collect();
        return faults.map_or(Ok(()), |faults| Err(faults.join(" and ")));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() && !schema["type"].to_string().contains("number") => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !schema["type"].to_string().contains(kind) {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, &schema["items"], whole)?;
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        let known = &schema["properties"][key];
        let shape = if known.is_null() { &schema["additionalProperties"] } else { known };
        if !shape.is_object() {
            return Err(format!("{key} is unknown"));
        }
        fits(item, shape, whole)?;
    }
    let missing =
        schema["required"].as_array().into_iter().flatten().find(|key| value[key.as_str().unwrap()].is_null());
    missing.map_or(Ok(()), |key| Err(format!("{key} is missing in {value}")))
}

#[test]
fn the_schema_accepts_the_own_configuration_and_refuses_unknown_keys() {
    let schema = tripline::config::schema();
    let mut own: serde_json::Value = serde_yaml::from_str(&own()).unwrap();
    assert_eq!(fits(&own, &schema, &schema), Ok(()));
    own["probes"]["sign-in"]["http"]["uri"] = "x".into();
    assert!(fits(&own, &schema, &schema).unwrap_err().starts_with("uri is unknown"));
}
