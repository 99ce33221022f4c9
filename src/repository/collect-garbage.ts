/**
 * Has V8 look for garbage now, where much of it was just left: shared memory is not counted by V8 and would lie until it collects for another reason. A
 * large buffer that nobody touches, and that takes no memory therefore, is one.
 */
export function collectGarbage(): void {
  new ArrayBuffer(96 << 20)
}
