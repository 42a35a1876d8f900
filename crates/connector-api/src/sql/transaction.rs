//! The operation `transaction`: several statements, of which all are done or none.
//!
//! A flow holds no connection between two of its tasks: whatever it waits for meanwhile, locks of the
//! database would wait with it, and a run that is lost would leave them. So the steps come in one
//! call. A step takes what an earlier one gave by naming it in fixed text; data cannot name anything.
//! Steps only read and change data: what would end the transaction is refused before it begins.

use std::sync::Arc;

use lockgate_document::{Builder, Document, Fault, Kind, Node};
use lockgate_model::Limits;

use super::{Asked, Codes, Gathered, Pool, Server, Session, Work, in_list, items, load::has_only, row_bytes_max};
use crate::{Answer, Context, Error};

/// Steps of a transaction.
const STEPS_MAX: usize = 100;

/// A connection that runs transactions.
pub trait Transactional: Session {
    /// Words that a step may begin with: it reads or changes data, and does not end the transaction.
    const STEPS: &'static [&'static str];
    /// A step can have `types`: the server does not tell those of its parameters.
    const TYPED: bool = false;

    /// Begins a transaction.
    fn begin(&mut self, begin: &Begin, work: &Work) -> impl Future<Output = Result<(), Error>> + Send;

    /// Runs a statement once for each list of parameters. Its rows, if it gives any, are written as an
    /// array.
    fn step(
        &mut self,
        asked: &Asked<'_>,
        lists: &[Vec<Node<'_>>],
        limits: &Limits,
        rows: &mut Builder,
    ) -> impl Future<Output = Result<Done, Error>> + Send;

    /// Ends it.
    fn commit(&mut self, work: &Work) -> impl Future<Output = Result<(), Error>> + Send;

    /// Undoes it, or leaves it to [`Session::renew`].
    ///
    /// # Errors
    /// When that cannot even be said.
    fn undo(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether a statement only has to be prepared anew: the transaction is begun once more then.
    fn is_stale(_: &Error) -> bool {
        false
    }
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// The level of isolation in SQL, where one is given.
    pub isolation: Option<&'static str>,
    /// It can only read.
    pub read_only: bool,
}

/// What a step did.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// What it counted, and what its rows were.
    pub gathered: Gathered,
    /// Rows were written.
    pub gives: bool,
    /// Bytes of its parameters.
    pub written: u64,
}

/// What a call asks for.
#[derive(Debug)]
struct Transaction<'a> {
    begin: Begin,
    steps: Vec<Step<'a>>,
}

#[derive(Debug)]
struct Step<'a> {
    name: Option<&'a str>,
    asked: Asked<'a>,
    lists: Vec<Vec<Node<'a>>>,
    takes: Vec<Take<'a>>,
    rows: Option<u64>,
}

/// A parameter that an earlier step gives.
#[derive(Debug)]
struct Take<'a> {
    parameter: usize,
    step: usize,
    column: &'a str,
}

/// Runs the steps of a call, in one transaction.
///
/// # Errors
/// What fails; nothing is done then, unless it says that this is not known.
pub async fn transaction<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, work: Work) -> Result<Answer, Error>
where
    S::Session: Transactional,
{
    let asked = Transaction::read::<S::Session>(&work.input)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let outcome = whole(lease.session()?, &asked, &work).await;
    lease.finish(outcome).await
}

async fn whole<S: Transactional>(session: &mut S, asked: &Transaction<'_>, work: &Work) -> Result<Answer, Error> {
    let mut anew = false;
    loop {
        session.begin(&asked.begin, work).await?;
        match steps(session, &asked.steps, work).await {
            Ok(answer) => {
                session.commit(work).await?;
                return Ok(answer);
            }
            Err(error) => {
                session.undo()?;
                if anew || !S::is_stale(&error) {
                    return Err(error);
                }
                anew = true;
            }
        }
    }
}

/// Runs the steps, and makes the answer: what is too large for one is so before the commit.
async fn steps<S: Transactional>(session: &mut S, steps: &[Step<'_>], work: &Work) -> Result<Answer, Error> {
    let fault = |fault: Fault| S::CODES.fault(&fault);
    let mut given: Vec<Document> = Vec::new();
    let (mut out, mut read, mut sent) = (Builder::new(&work.limits), 0, 0);
    out.begin_object().and_then(|()| out.key("steps")).and_then(|()| out.begin_array()).map_err(fault)?;
    for (at, step) in steps.iter().enumerate() {
        let of_step = |error: Error| {
            let detail = format!("step {}: {}", at + 1, error.private().reveal());
            error.with_private(detail)
        };
        let lists = step.lists(&given, S::CODES).map_err(of_step)?;
        let mut rows = Builder::new(&work.limits);
        let done = session.step(&step.asked, &lists, &work.limits, &mut rows).await.map_err(of_step)?;
        let Done { gathered, gives, written } = done;
        (read, sent) = (read + gathered.bytes, sent + written);
        if read > row_bytes_max(&work.limits) as u64 {
            return Err(of_step(S::CODES.too_large()));
        }
        let changed = if gives { gathered.rows } else { gathered.counted };
        if step.rows.is_some_and(|expected| expected != changed) {
            let text = "a step changed or gave another number of rows than it says, so nothing was done";
            let expected = step.rows.unwrap_or_default();
            return Err(of_step(S::CODES.unmet(text).with_private(format!("{changed} rows instead of {expected}"))));
        }
        if !gives {
            rows.begin_array().and_then(|()| rows.end()).map_err(fault)?;
        }
        let rows = rows.finish().map_err(fault)?;
        out.begin_object().and_then(|()| out.key("rows")).map_err(fault)?;
        out.integer(i64::try_from(changed).unwrap_or(i64::MAX)).map_err(fault)?;
        if gives {
            out.key("returned").and_then(|()| out.value(rows.root())).map_err(fault)?;
        }
        out.end().map_err(fault)?;
        given.push(rows);
    }
    let output = out.end().and_then(|()| out.end()).and_then(|()| out.finish()).map_err(fault)?;
    Ok(Answer { output, stream: None, read, written: sent })
}

impl<'a> Transaction<'a> {
    fn read<S: Transactional>(input: &'a Document) -> Result<Self, Error> {
        let (root, codes) = (input.root(), S::CODES);
        has_only(root, &["steps", "isolation", "read_only"], codes)?;
        let isolation = root.get("isolation");
        let isolation = match (isolation.is_undefined(), isolation.as_str()) {
            (true, _) => None,
            (_, Some("read-committed")) => Some("read committed"),
            (_, Some("repeatable-read")) => Some("repeatable read"),
            (_, Some("serializable")) => Some("serializable"),
            _ => return Err(codes.input("`isolation` must be `read-committed`, `repeatable-read` or `serializable`")),
        };
        let read_only = root.get("read_only");
        let read_only = if read_only.is_undefined() { Some(false) } else { read_only.as_bool() };
        let read_only = read_only.ok_or_else(|| codes.input("`read_only` must be `true` or `false`"))?;
        let given = root.get("steps");
        if given.kind() != Kind::Array || given.is_empty() || given.len() > STEPS_MAX {
            return Err(codes.input("`steps` must be a list of 1 to 100 steps"));
        }
        let mut steps = Vec::with_capacity(given.len());
        for step in items(given) {
            let at = steps.len() + 1;
            let step = Step::read(step, &steps, S::STEPS, S::TYPED, codes).map_err(|error| {
                let detail = format!("step {at}: {}", error.private().reveal());
                error.with_private(detail)
            })?;
            steps.push(step);
        }
        Ok(Self { begin: Begin { isolation, read_only }, steps })
    }
}

impl<'a> Step<'a> {
    fn read(node: Node<'a>, before: &[Step<'a>], words: &[&str], typed: bool, codes: Codes) -> Result<Self, Error> {
        let members: &[&str] =
            if typed { &["name", "each", "take", "rows", "types"] } else { &["name", "each", "take", "rows"] };
        let asked = Asked::of(node, members, codes)?;
        let word: String = asked.sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        if !words.contains(&word.to_ascii_lowercase().as_str()) {
            let text = "a step must begin with a word that reads or changes data";
            return Err(codes.input(text).with_private(format!("one of `{}`", words.join("`, `"))));
        }
        let (name, each, rows) = (node.get("name"), node.get("each"), node.get("rows"));
        let name = if name.is_undefined() { None } else { Some(name.as_str()) };
        let name =
            name.map(|name| name.ok_or_else(|| codes.input("the `name` of a step must be a text"))).transpose()?;
        if name.is_some_and(|name| before.iter().any(|step| step.name == Some(name))) {
            return Err(codes.input("two steps have one name"));
        }
        let lists = if each.is_undefined() {
            vec![asked.once().collect()]
        } else if node.get("parameters").is_undefined() && each.kind() == Kind::Array {
            let list = |list: Node<'a>| (list.kind() == Kind::Array).then(|| items(list).collect());
            let lists: Option<Vec<Vec<Node<'a>>>> = items(each).map(list).collect();
            lists.ok_or_else(|| codes.input("`each` must be a list of lists, one for each run"))?
        } else {
            return Err(codes.input("`each` must be a list of lists, and stands instead of `parameters`"));
        };
        let rows =
            if rows.is_undefined() { None } else { Some(rows.as_i64().and_then(|rows| u64::try_from(rows).ok())) };
        let rows = rows.map(|rows| rows.ok_or_else(|| codes.input("`rows` must be a whole number"))).transpose()?;
        let take = |take: Node<'a>| {
            has_only(take, &["parameter", "step", "column"], codes)?;
            let parameter = take.get("parameter").as_i64().and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
            let named = take.get("step").as_str();
            let step = before.iter().position(|step| step.name.is_some() && step.name == named);
            let column = take.get("column").as_str();
            let (Some(parameter), Some(step), Some(column)) = (parameter, step, column) else {
                let text = "`take` must name a parameter by its number, an earlier step and a column";
                return Err(codes.input(text));
            };
            let has_place = |list: &Vec<Node<'_>>| list.get(parameter).is_some_and(|node| node.kind() == Kind::Null);
            if !lists.iter().all(has_place) {
                return Err(codes.input("a parameter that is taken must have a place, which holds null"));
            }
            Ok(Take { parameter, step, column })
        };
        let takes = node.get("take");
        if !matches!(takes.kind(), Kind::Undefined | Kind::Array) {
            return Err(codes.input("`take` must be a list"));
        }
        let takes = items(takes).map(take).collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { name, asked, lists, takes, rows })
    }

    /// The parameters of each run, with what earlier steps gave.
    fn lists<'b>(&self, given: &'b [Document], codes: Codes) -> Result<Vec<Vec<Node<'b>>>, Error>
    where
        'a: 'b,
    {
        let mut lists: Vec<Vec<Node<'b>>> = self.lists.clone();
        for take in &self.takes {
            let value = given.get(take.step).map(|rows| rows.root().at(0).get(take.column));
            let value = value.filter(|value| !value.is_undefined()).ok_or_else(|| {
                codes
                    .unmet("a step takes from a row that an earlier step did not give, so nothing was done")
                    .with_private(format!("`{}` of step {}", take.column, take.step + 1))
            })?;
            for list in &mut lists {
                if let Some(place) = list.get_mut(take.parameter) {
                    *place = value;
                }
            }
        }
        Ok(lists)
    }
}

/// Says of which run of a step an error is, where there are several.
pub fn of_run(at: usize, runs: usize, error: Error) -> Error {
    if runs == 1 { error } else { in_list(at, error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::tests::CODES;

    fn read(steps: &str) -> Result<(), Error> {
        let input = Document::parse(steps.as_bytes(), &Limits::default()).unwrap();
        let mut before: Vec<Step<'_>> = Vec::new();
        for step in input.root().items() {
            let step = Step::read(step, &before, &["select", "insert"], false, CODES)?;
            before.push(step);
        }
        Ok(())
    }

    #[test]
    fn steps_that_break_the_rules_are_refused() {
        for steps in [
            r#"[{}]"#,
            r#"[{"sql": "commit"}]"#,
            r#"[{"sql": "/* */ commit"}]"#,
            r#"[{"sql": "select 1", "other": 1}]"#,
            r#"[{"sql": "select 1", "types": []}]"#,
            r#"[{"sql": "select 1", "name": 1}]"#,
            r#"[{"sql": "select 1", "name": "a"}, {"sql": "select 1", "name": "a"}]"#,
            r#"[{"sql": "select 1", "rows": -1}]"#,
            r#"[{"sql": "select 1", "rows": "1"}]"#,
            r#"[{"sql": "select 1", "each": [1]}]"#,
            r#"[{"sql": "select 1", "each": [[]], "parameters": []}]"#,
            r#"[{"sql": "select 1", "parameters": [null], "take": {}}]"#,
            r#"[{"sql": "select 1", "parameters": [null], "take": [{"parameter": 1, "step": "a", "column": "c"}]}]"#,
            r#"[{"sql": "select 1", "name": "a", "parameters": [null], "take": [{"parameter": 1, "step": "a", "column": "c"}]}]"#,
            r#"[{"sql": "select 1", "name": "a"}, {"sql": "select 1", "parameters": [7], "take": [{"parameter": 1, "step": "a", "column": "c"}]}]"#,
            r#"[{"sql": "select 1", "name": "a"}, {"sql": "select 1", "parameters": [null], "take": [{"parameter": 0, "step": "a", "column": "c"}]}]"#,
            r#"[{"sql": "select 1", "name": "a"}, {"sql": "select 1", "each": [[null], []], "take": [{"parameter": 1, "step": "a", "column": "c"}]}]"#,
        ] {
            let error = read(steps).unwrap_err();
            assert_eq!((error.kind(), error.code()), (crate::Kind::Input, "sql-input"), "{steps}");
        }
        read(
            r#"[{"sql": "select 1", "name": "a"}, {"sql": " INSERT x", "each": [[1, null]], "rows": 1, "take": [{"parameter": 2, "step": "a", "column": "c"}]}]"#,
        )
        .unwrap();
    }
}
