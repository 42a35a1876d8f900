//! Refusals first: of the call, of the document, of what it describes.

use std::collections::BTreeMap;

use crate::documents::lock::{Import, LOCK_FILE, Lock};
use crate::project::{OperationInfo, imports};
use crate::{Catalog, Project, Sources};

const PETS: &str = r##"openapi: 3.0.3
info: { title: pets, version: '1' }
servers: [{ url: 'http://plain.example' }, { url: 'https://{host}/v1/', variables: { host: { default: Pets.example } } }]
paths:
  /pets:
    get:
      operationId: listPets
      parameters:
        - { name: status, in: query, schema: { type: array, items: { $ref: '#/components/schemas/Status' } } }
        - { name: limit, in: query, required: true, schema: { type: integer } }
        - { name: near, in: query, style: deepObject, schema: { type: object } }
        - { name: Authorization, in: header, required: true, schema: { type: string } }
        - { name: X-Trace, in: header, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
    post:
      operationId: addPet
      requestBody: { $ref: '#/components/requestBodies/Pet' }
  /pets/{petId}/toys:
    parameters: [{ name: petId, in: path, required: true, schema: { type: integer } }]
    get: { operationId: toys }
  /twice: { get: { operationId: twice }, put: { operationId: twice } }
  /matrix/{m}: { get: { operationId: matrix, parameters: [{ name: m, in: path, required: true, style: matrix }] } }
  /form: { post: { operationId: form, requestBody: { content: { multipart/form-data: {} } } } }
  /image: { post: { operationId: image, requestBody: { content: { image/png: {} } } } }
  /lost: { get: { operationId: lost, parameters: [{ $ref: '#/components/parameters/none' }] } }
  /round: { get: { operationId: round, parameters: [{ $ref: '#/components/parameters/round' }] } }
  /open/{brace: { get: { operationId: brace } }
components:
  parameters: { round: { $ref: '#/components/parameters/round' } }
  schemas:
    Status: { type: string, enum: [available, sold] }
    Pet: { type: object, required: [id, name], properties: { id: { type: integer, readOnly: true }, name: { type: string }, parent: { $ref: '#/components/schemas/Pet' } }, additionalProperties: false }
  requestBodies:
    Pet: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
"##;

const URL: &str = "https://pets.example/openapi.yaml";

fn catalog() -> Catalog {
    let methods = ["get", "put", "post", "delete", "head", "patch"];
    let info = OperationInfo {
        version: "1.0.0".to_owned(),
        idempotent: true,
        takes: None,
        gives: None,
        constant: Vec::new(),
        input: serde_json::Value::Null,
    };
    let https = methods.map(|method| (method.to_owned(), info.clone())).into();
    Catalog { connectors: BTreeMap::from([("https".to_owned(), https)]) }
}

/// A project of one flow with these tasks, and the documents that are locked.
fn project(tasks: &str, locked: &[(&str, &str)], files: &[(&str, &str)]) -> Sources {
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\n{tasks}"
    );
    let mut sources = Sources(BTreeMap::from([
        ("project.yaml".to_owned(), "project: p\n".to_owned()),
        ("f.flow.yaml".to_owned(), flow),
    ]));
    let mut lock = Lock::default();
    for (url, text) in locked {
        let import = Import::of(text, "application/yaml");
        sources.0.insert(import.file.clone(), (*text).to_owned());
        lock.imports.insert((*url).to_owned(), import);
    }
    if !locked.is_empty() {
        sources.0.insert(LOCK_FILE.to_owned(), lock.to_json());
    }
    sources.0.extend(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    sources
}

/// Codes, what they point at, and messages.
fn problems(sources: &Sources) -> Vec<(String, String, String)> {
    let found = Project::checked(sources, &catalog()).err().unwrap_or_default();
    let shown = |problem: &lockgate_model::Diagnostic| {
        let text = sources.0.get(&problem.file).map_or("", String::as_str);
        let at = text.get(problem.span.start as usize..problem.span.end as usize).unwrap_or("?");
        let help = problem.help.clone().unwrap_or_default();
        (problem.code.clone(), at.to_owned(), format!("{}; {help}", problem.message))
    };
    found.0.iter().map(shown).collect()
}

fn call(operation: &str, with: &str) -> String {
    format!(
        "do: [a: {{ call: openapi, with: {{ document: {{ endpoint: '{URL}' }}, operationId: {operation}{with} }} }}]\n"
    )
}

#[track_caller]
fn refused(operation: &str, with: &str, code: &str, at: &str, says: &str) {
    let found = problems(&project(&call(operation, with), &[(URL, PETS)], &[]));
    let [(first, place, text)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.as_str(), place.as_str()), (code, at), "{text}");
    assert!(text.contains(says), "{text}");
}

#[test]
fn calls_that_do_not_fit_their_operation() {
    let parameters = "{ limit: 1, statu: sold }";
    refused(
        "listPets",
        &format!(", parameters: {parameters}"),
        "LG-OPENAPI-PARAMETER",
        "statu",
        "did you mean `status`?",
    );
    refused(
        "listPets",
        ", parameters: { status: sold }",
        "LG-MISSING-KEY",
        "{ status: sold }",
        "needs the parameter `limit` (in the query)",
    );
    refused("listPets", ", parameters: { limit: many }", "LG-WRONG-TYPE", "many", "a whole number");
    refused("listPets", ", parameters: { limit: 1, status: [lost] }", "LG-FLOW-VALUE", "lost", "`available`, `sold`");
    refused("listPets", ", parameters: { limit: 1, status: solt }", "LG-FLOW-VALUE", "solt", "did you mean `sold`?");
    refused(
        "listPets",
        ", parameters: { limit: 1, session: x }",
        "LG-OPENAPI-PARAMETER",
        "session",
        "cookies are refused",
    );
    refused(
        "addPet",
        "",
        "LG-MISSING-KEY",
        &format!("{{ document: {{ endpoint: '{URL}' }}, operationId: addPet }}"),
        "`body`",
    );
    refused("addPet", ", parameters: { body: { nam: x, name: y } }", "LG-UNKNOWN-KEY", "nam", "did you mean `name`?");
    refused("addPet", ", parameters: { body: { name: x, parent: { name: 1 } } }", "LG-WRONG-TYPE", "1", "a string");
    refused("listPet", ", parameters: { limit: 1 }", "LG-OPENAPI-OPERATION", "listPet", "did you mean `listPets`?");
    for parameters in ["limit", "[limit]", "'${ all }'", "1"] {
        let with = format!(", parameters: {parameters}");
        refused("listPets", &with, "LG-WRONG-TYPE", parameters, "`parameters` must be an object");
    }
    refused("toys", ", parameters: { petId: 1 }, output: rew", "LG-FLOW-VALUE", "rew", "");
    refused("'${ x }'", "", "LG-OPENAPI-OPERATION", "'${ x }'", "no operation");
}

#[test]
fn credentials_and_names_are_not_given_by_data() {
    let at = "authorization";
    refused("listPets", ", parameters: { limit: 1, authorization: x }", "LG-FLOW-REFUSED", at, "the account's binding");
}

#[test]
fn references_end() {
    // Each leads through many names to the next.
    let names: String = (0..10_000).map(|i| format!("  n{i}: {{ $ref: '#/x/n{}' }}\n", 9_999 - i % 5)).collect();
    let paths: String = (0..4_000).map(|i| format!("  /p{i}: {{ $ref: '#/x/n{}' }}\n", 5_000 + i)).collect();
    let text = format!("openapi: 3.0.0\npaths:\n{paths}x:\n{names}");
    let found = problems(&project(&call("x", ""), &[(URL, &text)], &[]));
    assert!(found[0].2.contains("more than 32 references"), "{found:?}");
    let locked =
        [("documents/a.json", "{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\": \"#/$defs/a\"}}}")];
    let tasks =
        "input: { schema: { resource: { endpoint: 'documents/a.json#/$defs/a' } } }\ndo: [a: { set: { b: 1 } }]\n";
    let found = problems(&project(tasks, &[], &locked));
    assert_eq!(
        (found.len(), found[0].0.as_str(), found[0].1.as_str()),
        (1, "LG-TYPE-LOOP", "'documents/a.json#/$defs/a'")
    );
}

#[test]
fn schemas_that_are_made_of_documents_have_an_end() {
    let big = format!("{{\"description\": \"{}\"}}", "x".repeat(3 << 20));
    let one = "input: { schema: { resource: { endpoint: documents/big.json } } }, set: { b: 1 }";
    let tasks = (0..15).map(|i| format!("  - t{i}: {{ {one} }}\n")).collect::<String>();
    let found = problems(&project(&format!("do:\n{tasks}"), &[], &[("documents/big.json", &big)]));
    assert_eq!(found[0].0, "LG-TYPE-SIZE", "{found:?}");
}

#[test]
fn a_body_that_is_a_form_alone_is_sent_as_one() {
    let sources = project(&call("form", ", parameters: { body: { name: Milou } }"), &[(URL, PETS)], &[]);
    assert_eq!(problems(&sources), []);
}

#[test]
fn descriptions_that_are_wrong_are_told_where_they_are_named() {
    let at = format!("'{URL}'");
    refused("twice", "", "LG-OPENAPI-OPERATION", "twice", "2 operations `twice`: `get /twice`, `put /twice`");
    refused("matrix", ", parameters: { m: 1 }", "LG-FLOW-NOT-YET", "m", "`style: matrix`");
    refused("image", "", "LG-OPENAPI-DOCUMENT", &at, "image/png (line ");
    refused("lost", "", "LG-OPENAPI-DOCUMENT", &at, "`#/components/parameters/none` leads nowhere (line ");
    refused("round", "", "LG-OPENAPI-DOCUMENT", &at, "more than 32 references");
    refused("brace", "", "LG-OPENAPI-DOCUMENT", &at, "brace");
}

#[test]
fn documents_that_cannot_be_read() {
    let deep = "[".repeat(100_000);
    let wide = format!("[{}", "0,".repeat(1_100_000));
    for (text, says) in [
        ("swagger: '1.2'\n", "no description of an API"),
        ("[]", "no description of an API"),
        ("a: &a [x]\nb: [*a, *a]\n", "anchors are not read (line 1, column 7)"),
        (deep.as_str(), "recursion limit"),
        (wide.as_str(), "more values than can be read"),
        ("a: 1\na: 2\n", "stands here twice"),
        ("<html>", "no description of an API"),
        (
            "openapi: 3.1.0\nservers: [{ url: 'http://h' }, { url: 'https://{h}' }]\npaths: { /a: { get: { operationId: x } } }\n",
            "no server of this description is an https address",
        ),
        (
            "swagger: '2.0'\nhost: h\nschemes: [http]\npaths: { /a: { get: { operationId: x } } }\n",
            "no server of this description",
        ),
    ] {
        let found = problems(&project(&call("x", ""), &[(URL, text)], &[]));
        let [(code, at, message)] = found.as_slice() else { panic!("{found:?}") };
        assert!(code.starts_with("LG-IMPORT-DOCUMENT") || code.starts_with("LG-OPENAPI-DOCUMENT"), "{code} {message}");
        assert_eq!(at, &format!("'{URL}'"), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn what_is_not_locked_or_not_what_was_fetched() {
    let tasks = call("toys", ", parameters: { petId: 1 }");
    let found = problems(&project(&tasks, &[], &[]));
    assert_eq!((found.len(), found[0].0.as_str(), found[0].1.clone()), (1, "LG-IMPORT-LOCK", format!("'{URL}'")));
    assert!(found[0].2.contains("lockgate build"));

    let sound = project(&tasks, &[(URL, PETS)], &[]);
    assert_eq!(problems(&sound), []);
    let file = Import::of(PETS, "").file;
    let mut spoiled = sound.clone();
    spoiled.0.get_mut(&file).unwrap().push(' ');
    let found = problems(&spoiled);
    assert!(found.iter().all(|(code, ..)| code == "LG-IMPORT-DIGEST") && found.len() == 2, "{found:?}");
    assert_ne!(sound.digest(), spoiled.digest());
    let mut lost = sound.clone();
    lost.0.remove(&file);
    assert!(problems(&lost).iter().all(|(code, ..)| code == "LG-IMPORT-DIGEST"));
    // A file that the lock does not name by its digest has no place in it.
    let mut more = sound.clone();
    more.0.insert("lock/other.json".to_owned(), "{}".to_owned());
    assert_eq!(problems(&more)[0].0, "LG-PROJECT-FILE");
    for lock in [
        "[]".to_owned(),
        "{".to_owned(),
        "{\"http://h\": {}}".to_owned(),
        sound.0[LOCK_FILE].replace("lock/", "lock/../"),
        sound.0[LOCK_FILE].replace("\"sha256\"", "\"sha\""),
    ] {
        let mut wrong = sound.clone();
        wrong.0.insert(LOCK_FILE.to_owned(), lock.clone());
        assert!(!problems(&wrong).is_empty(), "{lock}");
    }
}

#[test]
fn addresses_that_are_none() {
    for endpoint in
        ["http://h/x", "https://h/{x}", "${ x }", "ftp://h", "../x.yaml", "/etc/x", "https://u:p@h/x", "urn:x"]
    {
        let tasks = format!(
            "do: [a: {{ call: openapi, with: {{ document: {{ endpoint: '{endpoint}' }}, operationId: x }} }}]\n"
        );
        let found = problems(&project(&tasks, &[], &[]));
        assert_eq!((found.len(), found[0].0.as_str()), (1, "LG-IMPORT-ADDRESS"), "{endpoint} {found:?}");
    }
    let tasks = "do: [a: { call: openapi, with: { document: { endpoint: { uri: documents/pet.yaml, authentication: { use: x } } }, operationId: x } }]\n";
    let found = problems(&project(tasks, &[], &[("documents/pets.yaml", PETS)]));
    let codes: Vec<&str> = found.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(codes, ["LG-IMPORT-FILE", "LG-FLOW-REFUSED"], "{found:?}");
    assert!(found[0].2.contains("did you mean `documents/pets.yaml`?"));
}

/// The manifest's one operation.
fn authority(sources: &Sources) -> String {
    let project = Project::checked(sources, &catalog()).unwrap_or_else(|problems| panic!("{problems}"));
    let modules = project.compile(&catalog()).unwrap();
    let operations = &modules[0].manifest.operations;
    assert_eq!(operations.len(), 1);
    format!("{} {:?} {:?}", operations[0].operation, operations[0].account, operations[0].detail)
}

#[test]
fn a_call_is_the_https_operation_that_is_described() {
    let toys = call("toys", ", parameters: { petId: '${ id }' }, output: response");
    let wanted = "get Origin(\"https://pets.example\") [\"/v1/pets/*\"]";
    assert_eq!(authority(&project(&toys, &[(URL, PETS)], &[])), wanted);
    let near = "{ limit: 1, status: '${ s }', near: { lat: '${ x }' }, x-trace: t }";
    let list = call("listPets", &format!(", parameters: {near}"));
    assert_eq!(authority(&project(&list, &[(URL, PETS)], &[])), "get Origin(\"https://pets.example\") [\"/v1/pets\"]");
    let here = toys.replace(URL, "documents/pets.yaml");
    assert_eq!(authority(&project(&here, &[], &[("documents/pets.yaml", PETS)])), wanted);
}

#[test]
fn servers_of_both_languages() {
    let operation = "paths: { /a: { get: { operationId: x } } }\n";
    for (text, origin) in [
        ("swagger: '2.0'\nhost: h:8443\nbasePath: /v2\n", "https://h:8443 /v2/a"),
        ("swagger: '2.0'\nbasePath: /v2/\n", "https://pets.example /v2/a"),
        ("swagger: '2.0'\nschemes: [http, https]\nhost: h\n", "https://h /a"),
        ("openapi: 3.1.0\n", "https://pets.example /a"),
        ("openapi: 3.0.0\nservers: [{ url: ../v3 }]\n", "https://pets.example /v3/a"),
    ] {
        let text = format!("{text}{operation}");
        let wanted = origin.split_once(' ').map(|(o, p)| format!("get Origin({o:?}) [{p:?}]")).unwrap();
        assert_eq!(authority(&project(&call("x", ""), &[(URL, &text)], &[])), wanted, "{text}");
    }
    let here = call("x", "").replace(URL, "documents/a.json");
    let found = problems(&project(
        &here,
        &[],
        &[("documents/a.json", "{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"get\":{\"operationId\":\"x\"}}}}")],
    ));
    assert!(found[0].2.contains("no server of this description is an https address: `/`"), "{found:?}");
}

#[test]
fn documents_lead_to_others_that_are_locked() {
    let main = "openapi: 3.0.0\npaths:\n  /a/{id}:\n    get:\n      operationId: x\n      parameters: [{ $ref: 'common.yaml#/p' }]\n";
    let common = "p: { name: id, in: path, required: true, schema: { $ref: 'https://other.example/s.json' } }\n";
    let tasks = call("x", ", parameters: { id: wrong }");
    let asked = |sources: &Sources| imports(sources).into_keys().collect::<Vec<_>>();
    let (second, third) = ("https://pets.example/common.yaml", "https://other.example/s.json");
    let one = project(&tasks, &[(URL, main)], &[]);
    assert_eq!(asked(&one), [second, URL]);
    assert_eq!(problems(&one)[0].0, "LG-IMPORT-LOCK");
    let two = project(&tasks, &[(URL, main), (second, common)], &[]);
    assert_eq!(asked(&two), [third, second, URL]);
    let three = project(&tasks, &[(URL, main), (second, common), (third, "{\"type\": \"integer\"}")], &[]);
    assert_eq!(asked(&three), [third, second, URL]);
    assert_eq!(problems(&three)[0].0, "LG-WRONG-TYPE");
    assert_eq!(imports(&three)[third].file, "f.flow.yaml");
}

#[test]
fn thousands_of_operations_and_calls_are_read_once() {
    let mut text = "openapi: 3.0.0\npaths:\n".to_owned();
    for i in 0..9_000 {
        text.push_str(&format!("  /p{i}: {{ get: {{ operationId: o{i} }} }}\n"));
    }
    let mut tasks = "do:\n".to_owned();
    for i in 0..400 {
        tasks.push_str(&format!(
            "  - t{i}: {{ call: openapi, with: {{ document: {{ endpoint: '{URL}' }}, operationId: o{i} }} }}\n"
        ));
    }
    assert_eq!(problems(&project(&tasks, &[(URL, &text)], &[])), []);
    for i in 9_000..10_001 {
        text.push_str(&format!("  /p{i}: {{ get: {{ operationId: o{i} }} }}\n"));
    }
    let found = problems(&project(&call("o1", ""), &[(URL, &text)], &[]));
    assert!(found[0].2.contains("more than 10000 operations"), "{found:?}");
}
