//! What stands in for endpoints where there is no server: the mocks of a case or of a file.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use lockgate_compiler::project::{self, Exchange, Exchanges, Reply};
use lockgate_document::Document;
use lockgate_engine::{Mock, MockError, Mocks, Taken, Waits};
use lockgate_model::Diagnostics;

use crate::{
    author::{sources, workbench::Workbench},
    exit::Exit,
};

/// The mocks in a file.
pub fn file(path: &Path) -> Result<Exchanges, Exit> {
    let name = path.display().to_string();
    let (text, unreadable) =
        sources::text(path, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
    let read = project::mocks(&name, &text);
    let found = read.as_ref().err().cloned().unwrap_or_default();
    let all = Diagnostics(unreadable.into_iter().chain(found.0).collect());
    all.into_result(()).and(read).map_err(|all| Exit::problems(all, |_| Some(&text)))
}

/// Exchanges as the engine takes them.
pub fn mocks(exchanges: &Exchanges, waits: Waits, bench: &Workbench) -> Result<Mocks, Exit> {
    let mut answers = BTreeMap::new();
    for (key, list) in exchanges {
        let list = list.iter().map(|Exchange { reply, .. }| mock(key, reply, bench)).collect::<Result<_, _>>()?;
        answers.insert(key.clone(), list);
    }
    Ok(Mocks { answers, waits, taken: Taken::default() })
}

fn mock(key: &str, reply: &Reply, bench: &Workbench) -> Result<Mock, Exit> {
    Ok(match reply {
        Reply::Answer(json) => Mock::Answer(Arc::new(document(json, &format!("an answer of `{key}`"), bench)?)),
        Reply::Error { kind, status, retry_after, told } => {
            let detail = format!("the mock of `{key}` says so");
            let read = |(name, json): &(&'static str, String)| {
                Ok::<_, Exit>((*name, Arc::new(document(json, &format!("`{name}` of `{key}`"), bench)?)))
            };
            let told = told.as_ref().map(read).transpose()?;
            Mock::Error(MockError { kind: kind.clone(), status: *status, retry_after: *retry_after, detail, told })
        }
    })
}

/// A value of a file as a document.
pub fn document(json: &str, what: &str, bench: &Workbench) -> Result<Document, Exit> {
    bench.parse(json.as_bytes()).map_err(|e| Exit::failed(&e.code(), format!("{what}: {}", e.message())))
}
