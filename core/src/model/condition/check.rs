//! What a condition's tree may hold: names that exist, texts that can be read, a bounded cost.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use regex::RegexBuilder;

use super::ConditionFault;
use super::language::{Pattern, pattern_name};
use crate::model::unit::parse_duration;

/// The functions that can be called, beside the operators.
const FUNCTIONS: [&str; 14] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];
/// The macros, which the parser has replaced by the time they are looked for, unless they were written wrongly.
const MACROS: [&str; 7] = ["all", "exists", "exists_one", "existsOne", "filter", "has", "map"];
/// The names of types, as `type(x) == int` has them.
const TYPES: [&str; 9] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"];
/// The deepest tree.
const DEEPEST_TREE: usize = 48;
/// The deepest nesting of comprehensions.
const DEEPEST_COMPREHENSION: u32 = 2;
/// The most memory that a compiled regular expression may take, in bytes.
const PATTERN_CAP: usize = 1 << 20;

/// What was found in a tree.
pub(super) struct Found {
    /// The variables that it looks at, each once.
    pub(super) mentions: Vec<Box<str>>,
    /// The regular expressions, each of which stands in the tree as a name now.
    pub(super) patterns: Vec<Pattern>,
    /// How deeply comprehensions are nested.
    pub(super) nesting: u32,
}

/// Checks the tree and takes the regular expressions out of it.
pub(super) fn check_tree(
    program: &mut IdedExpr,
    variables: &[&str],
    places: &SourceInfo,
) -> Result<Found, ConditionFault> {
    let found = Found { mentions: Vec::new(), patterns: Vec::new(), nesting: 0 };
    let mut check = Check { variables, places, bound: Vec::new(), depth: 0, nested: 0, found };
    check.node(program)?;
    Ok(check.found)
}

struct Check<'a> {
    variables: &'a [&'a str],
    places: &'a SourceInfo,
    /// The names that comprehensions around this node have bound.
    bound: Vec<String>,
    depth: usize,
    nested: u32,
    found: Found,
}

impl Check<'_> {
    fn fault(&self, node: u64, fault: String, remedy: String) -> ConditionFault {
        ConditionFault { fault, remedy, column: self.column(node) }
    }

    /// Where the node was written, in characters.
    fn column(&self, node: u64) -> Option<usize> {
        let start = usize::try_from(self.places.offset_for(node)?.0).ok()?;
        Some(self.places.source.get(..start)?.chars().count())
    }

    fn node(&mut self, node: &mut IdedExpr) -> Result<(), ConditionFault> {
        self.depth += 1;
        if self.depth > DEEPEST_TREE {
            let remedy = "split it: all conditions of a list must hold".into();
            return Err(self.fault(
                node.id,
                format!("the condition is nested deeper than {DEEPEST_TREE} levels"),
                remedy,
            ));
        }
        let id = node.id;
        match &mut node.expr {
            Expr::Ident(name) => self.name(id, name)?,
            Expr::Select(select) => self.node(&mut select.operand)?,
            Expr::Call(call) => self.call(id, call)?,
            Expr::Comprehension(walk) => self.comprehension(id, walk)?,
            Expr::List(list) => list.elements.iter_mut().try_for_each(|element| self.node(element))?,
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.node(&mut entry.key)?;
                        self.node(&mut entry.value)?;
                    }
                }
            }
            Expr::Struct(made) => {
                let fault = format!("`{}` is no type that can be made", made.type_name);
                return Err(self.fault(id, fault, "compare values instead".into()));
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
        self.depth -= 1;
        Ok(())
    }

    fn name(&mut self, id: u64, written: &str) -> Result<(), ConditionFault> {
        let name = written.trim_start_matches('.');
        if name.starts_with('@') || self.bound.iter().any(|bound| bound == name) {
            return Ok(());
        }
        if self.variables.contains(&name) {
            if !self.found.mentions.iter().any(|mentioned| **mentioned == *name) {
                self.found.mentions.push(name.into());
            }
            return Ok(());
        }
        if TYPES.contains(&name) {
            return Ok(());
        }
        let remedy = suggest(name, self.variables);
        Err(self.fault(id, format!("there is no variable `{name}`"), remedy))
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Result<(), ConditionFault> {
        let name = call.func_name.as_str();
        // Operators have names that nobody can write: `_==_`, `!_`, `@not_strictly_false`.
        let operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        if MACROS.contains(&name) {
            let remedy = match name {
                "has" => "write it like has(headers.age)".to_owned(),
                _ => format!("write it like json.items.{name}(item, item.ready)"),
            };
            return Err(self.fault(id, format!("`{name}` is not written like this"), remedy));
        }
        if !operator && !FUNCTIONS.contains(&name) {
            let known: Vec<&str> = FUNCTIONS.iter().chain(&MACROS).copied().collect();
            return Err(self.fault(id, format!("there is no function `{name}`"), suggest(name, &known)));
        }
        match name {
            "matches" => self.pattern(id, call)?,
            "duration" => self.duration(id, call)?,
            _ => {}
        }
        if let Some(target) = &mut call.target {
            self.node(target)?;
        }
        call.args.iter_mut().try_for_each(|argument| self.node(argument))
    }

    /// Compiles the regular expression of a call of `matches` and puts its name in its place.
    fn pattern(&mut self, id: u64, call: &mut CallExpr) -> Result<(), ConditionFault> {
        let remedy = "write it like body.matches(\"^v[0-9]+$\")".to_owned();
        let expected = if call.target.is_some() { 1 } else { 2 };
        let found = call.args.len();
        let Some(argument) = call.args.last_mut().filter(|_| found == expected) else {
            return Err(self.fault(id, "`matches` takes one text and one regular expression".into(), remedy));
        };
        let Expr::Literal(LiteralValue::String(text)) = &argument.expr else {
            return Err(self.fault(
                id,
                "the regular expression of `matches` must be a text in quotes".into(),
                remedy,
            ));
        };
        let compiled = RegexBuilder::new(text.inner()).size_limit(PATTERN_CAP).build();
        let pattern = compiled.map_err(|error| {
            let said = error.to_string();
            let said = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let remedy = "its syntax is that of https://docs.rs/regex".to_owned();
            self.fault(argument.id, format!("`{}` is no regular expression: {said}", text.inner()), remedy)
        })?;
        argument.expr = Expr::Ident(pattern_name(self.found.patterns.len()));
        self.found.patterns.push(Pattern(pattern.into()));
        Ok(())
    }

    fn duration(&self, id: u64, call: &CallExpr) -> Result<(), ConditionFault> {
        match &call.args[..] {
            [IdedExpr { id, expr: Expr::Literal(LiteralValue::String(text)) }] if call.target.is_none() => {
                parse_duration(text.inner()).map(drop).map_err(|fault| self.fault(*id, fault.fault, fault.remedy))
            }
            _ => {
                let fault = "`duration` takes one text in quotes".to_owned();
                Err(self.fault(id, fault, "write it like duration(\"2s\")".into()))
            }
        }
    }

    fn comprehension(&mut self, id: u64, walk: &mut ComprehensionExpr) -> Result<(), ConditionFault> {
        self.node(&mut walk.iter_range)?;
        self.nested += 1;
        if self.nested > DEEPEST_COMPREHENSION {
            let fault = format!("lists are walked in more than {DEEPEST_COMPREHENSION} nested steps");
            return Err(self.fault(id, fault, "compare less, or in separate conditions".into()));
        }
        self.found.nesting = self.found.nesting.max(self.nested);
        let before = self.bound.len();
        self.bound.push(walk.iter_var.clone());
        self.bound.extend(walk.iter_var2.clone());
        for part in [&mut walk.accu_init, &mut walk.loop_cond, &mut walk.loop_step, &mut walk.result] {
            self.node(part)?;
        }
        self.bound.truncate(before);
        self.nested -= 1;
        Ok(())
    }
}

/// The nearest known name, or all of them.
fn suggest(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match near {
        Some((distance, near)) if distance <= 1 + name.len() / 4 => format!("did you mean `{near}`?"),
        _ => format!("there are: {}", known.join(", ")),
    }
}
