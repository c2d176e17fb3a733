//! The CloudFormation template: its text, and what it asks for.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, Yaml};

/// The template as it is in the repository.
pub const TEMPLATE: &str = include_str!("../template.yaml");

/// A parameter of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is for, in the template's words.
    pub description: String,
    /// Whether its value is a number.
    pub is_number: bool,
    /// The value where none is given; `None` where one must be.
    pub default: Option<String>,
}

/// Why a text is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is no YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(#[from] saphyr::ScanError),
    /// It lacks something.
    #[error("the template has no `{0}`")]
    Lacks(&'static str),
}

/// Reads a template's text. Tags such as `!Ref` stay in the tree as [`Yaml::Tagged`].
///
/// # Errors
/// If it is no YAML or is empty.
pub fn read(text: &str) -> Result<Yaml<'_>, TemplateError> {
    Yaml::load_from_str(text)?.into_iter().next().ok_or(TemplateError::Lacks("content"))
}

/// The parameters, in the template's order.
///
/// # Errors
/// If the text is no template.
pub fn parameters(text: &str) -> Result<Vec<Parameter>, TemplateError> {
    let tree = read(text)?;
    let section = tree.as_mapping_get("Parameters").and_then(Yaml::as_mapping);
    let section = section.ok_or(TemplateError::Lacks("Parameters"))?;
    let word = |node: &Yaml<'_>, key| node.as_mapping_get(key).and_then(plain);
    Ok(section
        .iter()
        .filter_map(|(name, node)| {
            Some(Parameter {
                name: plain(name)?,
                description: word(node, "Description").unwrap_or_default(),
                is_number: word(node, "Type").as_deref() == Some("Number"),
                default: word(node, "Default"),
            })
        })
        .collect())
}

/// The values a deployment uses: what is given, else what the stack has, else the template's defaults.
///
/// Nothing but names of the template's parameters is let through from the stack, as an older version of the
/// template may have had others.
///
/// # Errors
/// The name of a given parameter that the template does not have, or of one that needs a value and has none.
pub fn values(
    parameters: &[Parameter],
    given: &BTreeMap<String, String>,
    stack: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ValueError> {
    if let Some(unknown) = given.keys().find(|name| !parameters.iter().any(|known| known.name == **name)) {
        let known = parameters.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(ValueError::Unknown { name: unknown.clone(), known });
    }
    let value = |parameter: &Parameter| {
        let name = &parameter.name;
        let found = given.get(name).or_else(|| stack.get(name)).or(parameter.default.as_ref());
        found.cloned().ok_or_else(|| ValueError::Missing {
            name: name.clone(),
            description: parameter.description.clone(),
        })
    };
    parameters.iter().map(|parameter| Ok((parameter.name.clone(), value(parameter)?))).collect()
}

/// Why the values of a deployment are incomplete.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the messages say")]
pub enum ValueError {
    /// A name that is no parameter.
    #[error("there is no parameter `{name}`; the parameters are: {known}")]
    Unknown { name: String, known: String },
    /// A parameter without value and default.
    #[error("the parameter `{name}` needs a value ({description}): --param {name}=...")]
    Missing { name: String, description: String },
}

fn plain(node: &Yaml<'_>) -> Option<String> {
    node.as_str().map(str::to_owned).or_else(|| node.as_integer().map(|number| number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "Parameters:
  Size: { Type: Number, Description: How much., Default: 7 }
  Mail: { Type: String, Default: '' }
  Code: { Type: String, Description: Where it is. }
Resources:
  A: { Properties: { Size: !Ref Size } }
";

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn given_comes_before_stack_and_stack_before_default() {
        let parameters = parameters(SMALL).unwrap();
        let given = map(&[("Code", "bucket")]);
        let stack = map(&[("Mail", "a@example.com"), ("Code", "old"), ("Gone", "1")]);
        let expected = map(&[("Size", "7"), ("Mail", "a@example.com"), ("Code", "bucket")]);
        assert_eq!(values(&parameters, &given, &stack).unwrap(), expected);
    }

    #[test]
    fn a_wrong_or_missing_parameter_is_named() {
        let parameters = parameters(SMALL).unwrap();
        let unknown = values(&parameters, &map(&[("Mial", "x")]), &map(&[])).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no parameter `Mial`; the parameters are: Size, Mail, Code");
        let missing = values(&parameters, &map(&[]), &map(&[])).unwrap_err();
        let text = "the parameter `Code` needs a value (Where it is.): --param Code=...";
        assert_eq!(missing.to_string(), text);
    }
}
