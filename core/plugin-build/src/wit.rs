//! The contract of plugins, carried along: whoever builds in another language needs the WIT, and has no checkout of Towpath.

/// The version of the contract that new plugins are built against.
pub const VERSION: &str = "0.3.0";

/// A file of the contract.
#[derive(Clone, Copy, Debug)]
pub struct WitFile {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub text: &'static str,
}

/// Returns the files of `sdk/wit/0.3`.
pub fn files() -> &'static [WitFile] {
    &FILES
}

/// Returns the powers of the contract, in the order of their names: the interfaces of `powers.wit`.
pub fn powers() -> Vec<&'static str> {
    let mut names: Vec<_> =
        POWERS.lines().filter_map(|line| line.strip_prefix("interface ")?.split_whitespace().next()).collect();
    names.sort_unstable();
    names
}

const POWERS: &str = include_str!("../../../sdk/wit/0.3/powers.wit");

const FILES: [WitFile; 6] = [
    WitFile { name: "gate.wit", text: include_str!("../../../sdk/wit/0.3/gate.wit") },
    WitFile { name: "health.wit", text: include_str!("../../../sdk/wit/0.3/health.wit") },
    WitFile { name: "powers.wit", text: POWERS },
    WitFile { name: "target.wit", text: include_str!("../../../sdk/wit/0.3/target.wit") },
    WitFile { name: "types.wit", text: include_str!("../../../sdk/wit/0.3/types.wit") },
    WitFile { name: "worlds.wit", text: include_str!("../../../sdk/wit/0.3/worlds.wit") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_carried_contract_is_of_the_version_that_it_says() {
        for file in files() {
            assert!(file.text.contains(&format!("package towpath:plugin@{VERSION};")), "{}", file.name);
        }
    }

    #[test]
    fn the_powers_are_those_of_the_world() {
        let world = files().iter().find(|file| file.name == "worlds.wit").expect("the worlds").text;
        let mut imported: Vec<_> =
            world.lines().filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';')).collect();
        imported.sort_unstable();
        assert_eq!(powers(), imported);
    }
}
