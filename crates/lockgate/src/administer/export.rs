//! `lockgate export`: what a tenant is, as files that `lockgate apply` reads. There are no secrets in them.

use std::{collections::BTreeMap, io::Write as _, ops::ControlFlow, path::PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    administer::declared::{Kind, canonical},
    client::Client,
    exit::Exit,
    output::Output,
};

/// What a server says when the tenant changes between two pages, and how often that is taken.
const BUSY: &str = "LG-BUSY";
const ATTEMPTS: usize = 5;

/// Arguments of `export`.
#[derive(Args)]
pub struct Export {
    /// A folder to write into, a file for each kind; without it everything goes to standard output.
    #[arg(short = 'o', long = "output")]
    folder: Option<PathBuf>,
}

impl Export {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let (all, left_out) = whole(&Client::from_context()?)?;
        for left in &left_out {
            output.error_line(format!("not in it, or not all of it: {left}").as_bytes());
        }
        let Some(folder) = self.folder else {
            let whole: Map<String, Value> =
                all.into_iter().map(|(kind, bodies)| (kind.plural().to_owned(), bodies.into())).collect();
            let whole = Value::Object(whole);
            let text = yaml(&whole)?;
            output.result(&whole, || text);
            return Ok(());
        };
        let cannot =
            |e: std::io::Error| Exit::failed("LG-IO", format!("cannot write into `{}`: {e}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(cannot)?;
        let mut written = Vec::new();
        for (kind, bodies) in all {
            let name = format!("{}.yaml", kind.plural());
            let text = yaml(&json!({ kind.plural(): bodies }))?;
            // A link that lies there is replaced, not followed.
            let aside = folder.join(format!(".{name}.new"));
            let _ = std::fs::remove_file(&aside);
            std::fs::File::create_new(&aside).and_then(|mut file| file.write_all(text.as_bytes())).map_err(cannot)?;
            std::fs::rename(&aside, folder.join(&name)).map_err(cannot)?;
            written.push(json!({"file": name, "count": bodies.len()}));
        }
        output.result(&json!({ "files": written }), || {
            format!(
                "{} files are in `{}`\nnext: lockgate apply -f {} --plan",
                written.len(),
                folder.display(),
                folder.display()
            )
        });
        Ok(())
    }
}

/// Things of each kind by id, and what is left out.
type Whole = (BTreeMap<Kind, Map<String, Value>>, Vec<String>);

/// The whole export. Where the tenant changes between two pages it begins again.
fn whole(client: &Client) -> Result<Whole, Exit> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match pages(client) {
            Err(Exit::Failed { code, .. }) if code == BUSY && attempts < ATTEMPTS => {}
            other => return other,
        }
    }
}

fn pages(client: &Client) -> Result<Whole, Exit> {
    let (mut all, mut left_out) = (BTreeMap::new(), Vec::new());
    let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |page: &Value, member: &str| page.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    let known = |name: &str| {
        let unknown =
            || Exit::failed("LG-ANSWER", format!("the server exports `{name}`, which this program does not know"));
        Kind::ALL.iter().copied().find(|kind| kind.singular() == name).ok_or_else(unknown)
    };
    client.pages("export", |page| {
        for kind in list(&page, "kinds") {
            all.entry(known(kind.as_str().unwrap_or_default())?).or_insert_with(Map::new);
        }
        left_out = Vec::new();
        for left in list(&page, "left_out") {
            left_out.push(format!("{} (`{}`)", known(&text(&left, "kind"))?.plural(), text(&left, "permission")));
        }
        for item in list(&page, "items") {
            let (kind, id) = (known(&text(&item, "kind"))?, text(&item, "id"));
            let body = item.get("body").unwrap_or(&Value::Null);
            let unread =
                |reason| Exit::failed("LG-ANSWER", format!("the server's {} `{id}`: {reason}", kind.singular()));
            let body = canonical(kind, &id, body).map_err(unread)?;
            all.entry(kind).or_insert_with(Map::new).insert(id, body);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((all, left_out))
}

fn yaml(value: &Value) -> Result<String, Exit> {
    serde_saphyr::to_string(value).map_err(|e| Exit::failed("LG-YAML", format!("this cannot be written as YAML: {e}")))
}
