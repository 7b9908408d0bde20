//! The generated bindings: one world per kind over one set of powers and types.
#![expect(unreachable_pub, reason = "generated")]

/// The powers, which every world imports.
pub mod powers {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/0.3",
        world: "powers",
        imports: { default: async | trappable },
    });
}

/// The world of a target; its types are those of the other worlds, too.
pub mod target {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/0.3",
        world: "target-plugin",
        exports: { default: async },
        with: {
            "towpath:plugin/log@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::log,
            "towpath:plugin/measure@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::measure,
            "towpath:plugin/clock@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::clock,
            "towpath:plugin/http@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::http,
            "towpath:plugin/runtime@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::runtime,
            "towpath:plugin/telemetry@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::telemetry,
            "towpath:plugin/command@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::command,
            "towpath:plugin/ssh@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::ssh,
            "towpath:plugin/artifact@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::artifact,
            "towpath:plugin/secret@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::secret,
            "towpath:plugin/random@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::random,
        },
        require_store_data_send: true,
    });
}

/// The world of a gate.
pub mod gate {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/0.3",
        world: "gate-plugin",
        exports: { default: async },
        with: {
            "towpath:plugin/types@0.3.0": crate::v0_3::bindings::types,
            "towpath:plugin/log@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::log,
            "towpath:plugin/measure@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::measure,
            "towpath:plugin/clock@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::clock,
            "towpath:plugin/http@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::http,
            "towpath:plugin/runtime@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::runtime,
            "towpath:plugin/telemetry@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::telemetry,
            "towpath:plugin/command@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::command,
            "towpath:plugin/ssh@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::ssh,
            "towpath:plugin/artifact@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::artifact,
            "towpath:plugin/secret@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::secret,
            "towpath:plugin/random@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::random,
        },
        require_store_data_send: true,
    });
}

/// The world of a health check.
pub mod health {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/0.3",
        world: "health-plugin",
        exports: { default: async },
        with: {
            "towpath:plugin/types@0.3.0": crate::v0_3::bindings::types,
            "towpath:plugin/log@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::log,
            "towpath:plugin/measure@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::measure,
            "towpath:plugin/clock@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::clock,
            "towpath:plugin/http@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::http,
            "towpath:plugin/runtime@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::runtime,
            "towpath:plugin/telemetry@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::telemetry,
            "towpath:plugin/command@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::command,
            "towpath:plugin/ssh@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::ssh,
            "towpath:plugin/artifact@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::artifact,
            "towpath:plugin/secret@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::secret,
            "towpath:plugin/random@0.3.0": crate::v0_3::bindings::powers::towpath::plugin::random,
        },
        require_store_data_send: true,
    });
}

pub use gate::exports::towpath::plugin::gate as gate_words;
pub use health::exports::towpath::plugin::health as health_words;
pub use target::exports::towpath::plugin::target as target_words;
pub use target::towpath::plugin::types;
