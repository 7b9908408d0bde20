//! A project in JavaScript.

use plugin_host::Kind;

use super::project::{Project, contract, filled};

pub(super) fn project(name: &str, kind: Kind) -> Project {
    let (plugin, source, test) = match kind {
        Kind::Gate => (
            include_str!("../../templates/gate.json"),
            include_str!("../../templates/javascript/gate.js"),
            include_str!("../../templates/javascript/gate.test.js"),
        ),
        Kind::Health => (
            include_str!("../../templates/health.json"),
            include_str!("../../templates/javascript/health.js"),
            include_str!("../../templates/javascript/health.test.js"),
        ),
        Kind::Target => (
            include_str!("../../templates/target.json"),
            include_str!("../../templates/javascript/target.js"),
            include_str!("../../templates/javascript/target.test.js"),
        ),
    };
    let logic = match kind {
        Kind::Gate => None,
        Kind::Health => Some(include_str!("../../templates/javascript/judge.js")),
        Kind::Target => Some(include_str!("../../templates/javascript/service.js")),
    };
    let mut files = vec![
        ("plugin.json".to_owned(), filled(&plugin.replace("SOURCE", "plugin.js"), name, kind)),
        ("package.json".to_owned(), filled(include_str!("../../templates/javascript/package.json"), name, kind)),
        ("plugin.js".to_owned(), filled(source, name, kind)),
        ("plugin.test.js".to_owned(), filled(test, name, kind)),
        (".gitignore".to_owned(), "/node_modules\n*.wasm\n".to_owned()),
    ];
    files.extend(logic.map(|text| ("logic.js".to_owned(), filled(text, name, kind))));
    files.extend(contract());
    let next = vec!["npm install".to_owned(), "npm test".to_owned()];
    Project { files, next }.explained(
        name,
        kind,
        "`plugin.js`, tested in `plugin.test.js`; `plugin.json` says what the plugin is",
    )
}
