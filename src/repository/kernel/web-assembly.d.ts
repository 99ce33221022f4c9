// The parts of WebAssembly used here. Neither the language's own library nor @types/node 26.6 declares it without the browser's.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: NodeJS.ArrayBufferView)
  }
  class Memory {
    constructor(size: { readonly initial: number; readonly maximum: number; readonly shared: true })
    readonly buffer: SharedArrayBuffer
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
}
