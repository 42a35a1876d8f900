//! `lockgate export`: what a tenant is, as files that `lockgate apply` reads. There are no secrets in them.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    administer::{declared::Kind, standing},
    client::Client,
    exit::Exit,
    output::Output,
};

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
        let client = Client::from_context()?;
        let kinds = Kind::ALL.iter().copied().collect();
        let mut all: BTreeMap<Kind, Map<String, Value>> = Kind::ALL.iter().map(|kind| (*kind, Map::new())).collect();
        for ((kind, id), stands) in standing::read(&client, &kinds, None)? {
            all.entry(kind).or_default().insert(id, stands.body);
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

fn yaml(value: &Value) -> Result<String, Exit> {
    serde_saphyr::to_string(value).map_err(|e| Exit::failed("LG-YAML", format!("this cannot be written as YAML: {e}")))
}
