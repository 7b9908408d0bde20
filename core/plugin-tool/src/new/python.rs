//! A project in Python.

use plugin_host::Kind;

use super::project::{Project, contract, filled};

pub(super) fn project(name: &str, kind: Kind) -> Project {
    let (plugin, source, logic, test) = match kind {
        Kind::Gate => (
            include_str!("../../templates/gate.json"),
            include_str!("../../templates/python/gate.py"),
            include_str!("../../templates/python/gate_logic.py"),
            include_str!("../../templates/python/gate_test.py"),
        ),
        Kind::Health => (
            include_str!("../../templates/health.json"),
            include_str!("../../templates/python/health.py"),
            include_str!("../../templates/python/health_logic.py"),
            include_str!("../../templates/python/health_test.py"),
        ),
        Kind::Target => (
            include_str!("../../templates/target.json"),
            include_str!("../../templates/python/target.py"),
            include_str!("../../templates/python/target_logic.py"),
            include_str!("../../templates/python/target_test.py"),
        ),
    };
    let mut files = vec![
        ("plugin.json".to_owned(), filled(&plugin.replace("SOURCE", "app.py"), name, kind)),
        ("requirements.txt".to_owned(), include_str!("../../templates/python/requirements.txt").to_owned()),
        ("app.py".to_owned(), filled(source, name, kind)),
        ("logic.py".to_owned(), filled(logic, name, kind)),
        ("test_logic.py".to_owned(), filled(test, name, kind)),
        (".gitignore".to_owned(), "/.venv\n__pycache__/\n*.wasm\n".to_owned()),
    ];
    files.extend(contract());
    let next = ["python3 -m venv .venv", ".venv/bin/python -m pip install -r requirements.txt", "python3 -m unittest"];
    let next = next.map(str::to_owned).to_vec();
    Project { files, next }.explained(name, kind, "`app.py` speaks the contract, `logic.py` decides and is tested in `test_logic.py`; `plugin.json` says what the plugin is")
}
