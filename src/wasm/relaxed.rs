//! The kernel of 8-bit products, for browsers that have the instruction.
//!
//! A binary with one unknown instruction is refused as a whole. So this kernel is a module of its own, written here and
//! instantiated at run time; it works in the engine's memory, and a place in the engine's table of functions makes it one
//! that Rust can call. Where the browser refuses it, there is no kernel: relaxed SIMD is in Chrome 114, Firefox 146 and
//! Node 22, and not in Safari.

use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function as Code, FunctionSection, ImportSection,
    InstructionSink, MemArg, MemArgTarget, MemoryType, Module, TypeSection, ValType,
};

use crate::cpu::int8::{Kernel, Panel, PanelColumns, RawKernel, RowRounding, Tiles, kernel, set_kernel};

/// How the sums of a row with four columns come about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One instruction of the browser's; one of the processor's, too, on ARM and where x86-64 has AVX-VNNI.
    Whole,
    /// Pairs of products by the 8-bit instruction, sums of two of them, then pairs of those by the 16-bit one. Where the
    /// processor has no instruction for the whole, browsers make it of five; two of them are then five here.
    InPairs,
}

const WAYS: [(Way, &str); 2] = [(Way::Whole, "whole"), (Way::InPairs, "in_pairs")];

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Makes the kernel, if this browser can have it, and nobody has.
pub fn prepare() {
    if kernel().is_none()
        && let Ok(ways) = instantiate()
    {
        set_kernel(faster(ways));
    }
}

/// Both ways as functions that Rust can call.
fn instantiate() -> Result<[Kernel; 2], JsValue> {
    let module = WebAssembly::Module::new(&Uint8Array::from(&module()[..]))?;
    let (imports, engine) = (Object::new(), Object::new());
    Reflect::set(&engine, &"memory".into(), &wasm_bindgen::memory())?;
    Reflect::set(&imports, &"engine".into(), &engine)?;
    let exports = WebAssembly::Instance::new(&module, &imports)?.exports();
    let table: WebAssembly::Table = wasm_bindgen::function_table().unchecked_into();
    let first = table.grow(WAYS.len() as u32)?;
    for (place, (_, name)) in (first..).zip(WAYS) {
        let function: Function = Reflect::get(&exports, &name.into())?.dyn_into()?;
        table.set(place, &function)?;
    }
    Ok([first, first + 1].map(|place| {
        // SAFETY: on wasm32 a pointer to a function is its place in the table, where there is now one of this type; it
        // reads and writes what the type says.
        unsafe { Kernel::new(std::mem::transmute::<usize, RawKernel>(place as usize)) }
    }))
}

/// The kernel that takes less time here; both have the same sums.
fn faster(kernels: [Kernel; 2]) -> Kernel {
    const OCTETS: usize = 48;
    const ROWS: usize = 64;
    let (rows, weights) = (vec![[0; 2]; ROWS * OCTETS * 2], vec![0; 64 * OCTETS]);
    let rows = Tiles {
        narrow: &rows,
        wide: &[],
        roundings: &[RowRounding::default(); ROWS],
    };
    let panel = Panel {
        narrow: &weights,
        wide: &[],
        columns: &PanelColumns::default(),
    };
    let mut out = vec![0.0; ROWS * 8];
    let mut run = |kernel: Kernel| {
        let start = performance_now();
        // Some milliseconds: browsers' clocks are coarse, and machine code is optimised only while it runs.
        for _ in 0..500 {
            kernel.multiply(rows, panel, &mut out, 8);
        }
        performance_now() - start
    };
    let mut least = [f64::INFINITY; 2];
    for _ in 0..4 {
        for (least, kernel) in least.iter_mut().zip(kernels) {
            *least = run(kernel).min(*least);
        }
    }
    kernels[usize::from(least[1] < least[0])]
}

/// The module's bytes: a function for each way, which imports the engine's memory.
fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 11], []);
    let mut imports = ImportSection::new();
    let memory = MemoryType {
        minimum: 0,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    imports.import("engine", "memory", EntityType::Memory(memory));
    let (mut functions, mut exports, mut codes) = (FunctionSection::new(), ExportSection::new(), CodeSection::new());
    for (number, (way, name)) in (0..).zip(WAYS) {
        functions.function(0);
        exports.export(name, ExportKind::Func, number);
        codes.function(&code(way));
    }
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&codes);
    module.finish()
}

// The function's arguments, as `RawKernel` has them, and what it works with.
const ROWS: u32 = 0;
const WIDE_ROWS: u32 = 1;
const ROUNDINGS: u32 = 2;
const PANEL: u32 = 3;
const WIDE_PANEL: u32 = 4;
const COLUMNS: u32 = 5;
const OCTETS: u32 = 6;
const PAIRS: u32 = 7;
const TILES: u32 = 8;
const OUT: u32 = 9;
const STRIDE: u32 = 10;
const AT: u32 = 11;
const LEFT: u32 = 12;
const ONES: u32 = 13;
/// Four inputs' weights of each half panel, and those of the next four inputs.
const WEIGHTS: u32 = 14;
/// The same inputs' activations of a row.
const ACTIVATIONS: u32 = 18;
/// The sums of row `r` with half panel `h` are `TOTALS + 2 * r + h`.
const TOTALS: u32 = 20;
const VECTORS: u32 = TOTALS + 8 - ONES;

/// Four rows times eight columns, tile after tile.
fn code(way: Way) -> Code {
    let mut code = Code::new([(2, ValType::I32), (VECTORS, ValType::V128)]);
    let mut to = code.instructions();
    // Not a constant: those are made anew wherever they are used, with three instructions.
    to.local_get(TILES).i32_const(31).i32_shr_u().i32_const(1).i32_or();
    to.i16x8_splat().local_set(ONES);
    to.loop_(BlockType::Empty);
    for total in TOTALS..TOTALS + 8 {
        to.v128_const(0).local_set(total);
    }
    to.local_get(PANEL).local_set(AT).local_get(OCTETS).local_set(LEFT);
    to.loop_(BlockType::Empty);
    for number in 0..4 {
        to.local_get(AT).v128_load(at(16 * number)).local_set(WEIGHTS + number);
    }
    for row in 0..4 {
        for four in 0..2 {
            let activations = at(16 * four + 4 * row);
            to.local_get(ROWS)
                .v128_load32_splat(activations)
                .local_set(ACTIVATIONS + four);
        }
        for half in 0..2 {
            let total = TOTALS + 2 * row + half;
            match way {
                Way::Whole => {
                    for four in 0..2 {
                        to.local_get(WEIGHTS + 2 * four + half).local_get(ACTIVATIONS + four);
                        to.local_get(total)
                            .i32x4_relaxed_dot_i8x16_i7x16_add_s()
                            .local_set(total);
                    }
                }
                Way::InPairs => {
                    for four in 0..2 {
                        to.local_get(WEIGHTS + 2 * four + half).local_get(ACTIVATIONS + four);
                        to.i16x8_relaxed_dot_i8x16_i7x16_s();
                    }
                    to.i16x8_add().local_get(ONES).i32x4_dot_i16x8_s();
                    to.local_get(total).i32x4_add().local_set(total);
                }
            }
        }
    }
    add(&mut to, ROWS, 32);
    add(&mut to, AT, 64);
    add(&mut to, LEFT, -1);
    to.local_get(LEFT).br_if(0).end();
    to.local_get(WIDE_PANEL).local_set(AT).local_get(PAIRS).local_set(LEFT);
    to.block(BlockType::Empty).local_get(LEFT).i32_eqz().br_if(0);
    to.loop_(BlockType::Empty);
    for half in 0..2 {
        to.local_get(AT).v128_load(at(16 * half)).local_set(WEIGHTS + half);
    }
    for row in 0..4 {
        to.local_get(WIDE_ROWS)
            .v128_load32_splat(at(4 * row))
            .local_set(ACTIVATIONS);
        for half in 0..2 {
            let total = TOTALS + 2 * row + half;
            to.local_get(ACTIVATIONS).local_get(WEIGHTS + half).i32x4_dot_i16x8_s();
            to.local_get(total).i32x4_add().local_set(total);
        }
    }
    add(&mut to, WIDE_ROWS, 16);
    add(&mut to, AT, 32);
    add(&mut to, LEFT, -1);
    to.local_get(LEFT).br_if(0).end().end();
    for row in 0..4 {
        let rounding = 8 * row;
        for half in 0..2 {
            to.local_get(OUT);
            to.local_get(TOTALS + 2 * row + half);
            to.local_get(ROUNDINGS).v128_load32_splat(at(rounding));
            to.local_get(COLUMNS).v128_load(at(16 * half)).i32x4_mul();
            to.i32x4_sub().f32x4_convert_i32x4_s();
            to.local_get(ROUNDINGS).v128_load32_splat(at(rounding + 4));
            to.local_get(COLUMNS).v128_load(at(32 + 16 * half)).f32x4_mul();
            to.f32x4_mul();
            to.local_get(COLUMNS).v128_load(at(64 + 16 * half)).f32x4_add();
            to.v128_store(at(16 * half));
        }
        to.local_get(OUT).local_get(STRIDE).i32_add().local_set(OUT);
    }
    add(&mut to, ROUNDINGS, 32);
    add(&mut to, TILES, -1);
    to.local_get(TILES).br_if(0).end().end();
    code
}

fn add(to: &mut InstructionSink<'_>, local: u32, number: i32) {
    to.local_get(local).i32_const(number).i32_add().local_set(local);
}

/// So many bytes behind the address.
fn at(offset: u32) -> MemArg {
    MemArg {
        offset: offset.into(),
        align: 2,
        target: MemArgTarget::default(),
        ordering: None,
    }
}

const _: () = assert!(size_of::<RowRounding>() == 8 && size_of::<PanelColumns>() == 96);
