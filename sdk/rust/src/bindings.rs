//! The generated bindings: one world per kind over one set of powers and types. Hidden: the traits are the interface.

/// The powers, which every world imports.
pub mod powers {
    wit_bindgen::generate!({
        path: "wit",
        world: "powers",
        generate_all,
    });
}

/// The world of a target.
pub mod target {
    wit_bindgen::generate!({
        path: "wit",
        world: "target-plugin",
        pub_export_macro: true,
        export_macro_name: "export_target_world",
        default_bindings_module: "towpath_sdk::bindings::target",
        with: {
            "towpath:plugin/types@0.3.0": crate::bindings::types,
            "towpath:plugin/log@0.3.0": crate::bindings::powers::towpath::plugin::log,
            "towpath:plugin/measure@0.3.0": crate::bindings::powers::towpath::plugin::measure,
            "towpath:plugin/clock@0.3.0": crate::bindings::powers::towpath::plugin::clock,
            "towpath:plugin/http@0.3.0": crate::bindings::powers::towpath::plugin::http,
            "towpath:plugin/runtime@0.3.0": crate::bindings::powers::towpath::plugin::runtime,
            "towpath:plugin/telemetry@0.3.0": crate::bindings::powers::towpath::plugin::telemetry,
            "towpath:plugin/command@0.3.0": crate::bindings::powers::towpath::plugin::command,
            "towpath:plugin/ssh@0.3.0": crate::bindings::powers::towpath::plugin::ssh,
            "towpath:plugin/artifact@0.3.0": crate::bindings::powers::towpath::plugin::artifact,
            "towpath:plugin/secret@0.3.0": crate::bindings::powers::towpath::plugin::secret,
            "towpath:plugin/random@0.3.0": crate::bindings::powers::towpath::plugin::random,
        },
    });
}

/// The world of a gate.
pub mod gate {
    wit_bindgen::generate!({
        path: "wit",
        world: "gate-plugin",
        pub_export_macro: true,
        export_macro_name: "export_gate_world",
        default_bindings_module: "towpath_sdk::bindings::gate",
        with: {
            "towpath:plugin/log@0.3.0": crate::bindings::powers::towpath::plugin::log,
            "towpath:plugin/measure@0.3.0": crate::bindings::powers::towpath::plugin::measure,
            "towpath:plugin/clock@0.3.0": crate::bindings::powers::towpath::plugin::clock,
            "towpath:plugin/http@0.3.0": crate::bindings::powers::towpath::plugin::http,
            "towpath:plugin/runtime@0.3.0": crate::bindings::powers::towpath::plugin::runtime,
            "towpath:plugin/telemetry@0.3.0": crate::bindings::powers::towpath::plugin::telemetry,
            "towpath:plugin/command@0.3.0": crate::bindings::powers::towpath::plugin::command,
            "towpath:plugin/ssh@0.3.0": crate::bindings::powers::towpath::plugin::ssh,
            "towpath:plugin/artifact@0.3.0": crate::bindings::powers::towpath::plugin::artifact,
            "towpath:plugin/secret@0.3.0": crate::bindings::powers::towpath::plugin::secret,
            "towpath:plugin/random@0.3.0": crate::bindings::powers::towpath::plugin::random,
        },
        generate_all,
    });
}

/// The world of a health check.
pub mod health {
    wit_bindgen::generate!({
        path: "wit",
        world: "health-plugin",
        pub_export_macro: true,
        export_macro_name: "export_health_world",
        default_bindings_module: "towpath_sdk::bindings::health",
        with: {
            "towpath:plugin/types@0.3.0": crate::bindings::types,
            "towpath:plugin/log@0.3.0": crate::bindings::powers::towpath::plugin::log,
            "towpath:plugin/measure@0.3.0": crate::bindings::powers::towpath::plugin::measure,
            "towpath:plugin/clock@0.3.0": crate::bindings::powers::towpath::plugin::clock,
            "towpath:plugin/http@0.3.0": crate::bindings::powers::towpath::plugin::http,
            "towpath:plugin/runtime@0.3.0": crate::bindings::powers::towpath::plugin::runtime,
            "towpath:plugin/telemetry@0.3.0": crate::bindings::powers::towpath::plugin::telemetry,
            "towpath:plugin/command@0.3.0": crate::bindings::powers::towpath::plugin::command,
            "towpath:plugin/ssh@0.3.0": crate::bindings::powers::towpath::plugin::ssh,
            "towpath:plugin/artifact@0.3.0": crate::bindings::powers::towpath::plugin::artifact,
            "towpath:plugin/secret@0.3.0": crate::bindings::powers::towpath::plugin::secret,
            "towpath:plugin/random@0.3.0": crate::bindings::powers::towpath::plugin::random,
        },
    });
}

pub use gate::towpath::plugin::types;
