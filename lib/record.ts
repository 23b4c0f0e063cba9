import { refuse } from './checks.js'
import { ArgumentError } from './errors/index.js'

/** What can be put into a queue: bytes, of which a copy is made, or text, which goes as UTF-8. */
export type RecordData = Uint8Array | NodeJS.ArrayBufferView | string

// The methods and getters of the language, not those that an object may carry in their place.
const { set } = Uint8Array.prototype
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const getter = (of: object, name: string) => (Object.getOwnPropertyDescriptor(of, name) as PropertyDescriptor).get as () => number
const byteLength = getter(typedArray, 'byteLength')

/** The bytes through which records travel between this environment and the addon, with views on them. */
export class RecordBytes {
  private readonly text: Buffer
  /** the first bytes, as many as the last record had: records of a queue are often of one length */
  private view: Uint8Array

  constructor(private readonly bytes: Uint8Array) {
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = bytes.subarray(0, 0)
  }

  /**
   * Writes a record and answers its length in bytes. Runs no user code after the first byte.
   *
   * @throws ArgumentError if it is none, or longer than `most`
   */
  write(data: unknown, most: number): number {
    if (typeof data === 'string') return this.writeText(data, most)
    const view = data instanceof Uint8Array ? data : bytesOf(data)
    const length = lengthOf(view, data)
    if (length > most) throw tooLong(length, most, data)
    if (length !== 0) set.call(this.bytes, view)
    else mustBeThere(view, data)
    return length
  }

  /** A copy of the record that was written last. */
  read(length: number): Uint8Array {
    if (this.view.length !== length) this.view = this.bytes.subarray(0, length)
    return new Uint8Array(this.view)
  }

  private writeText(data: string, most: number): number {
    const length = Buffer.byteLength(data)
    if (length > most) throw tooLong(length, most, data)
    return this.text.write(data, 0, length)
  }
}

/** A private copy of a record that is to be written later. */
export function copyOf(data: unknown, most: number): Uint8Array {
  const view = typeof data === 'string' ? Buffer.from(data) : data instanceof Uint8Array ? data : bytesOf(data)
  const length = lengthOf(view, data)
  if (length > most) throw tooLong(length, most, data)
  const copy = new Uint8Array(length)
  if (length !== 0) set.call(copy, view)
  else mustBeThere(view, data)
  return copy
}

function bytesOf(data: unknown): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw notBytes(data)
  try {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  } catch {
    throw notBytes(data) // detached, or its getters are not the language's
  }
}

/** An object that only inherits from Uint8Array has no length of its own. */
function lengthOf(view: Uint8Array, data: unknown): number {
  try {
    return byteLength.call(view)
  } catch {
    throw notBytes(data)
  }
}

const nowhere = new Uint8Array(0)

/** What was transferred to another thread, or lies beyond the end of a buffer that was made smaller, has no bytes any more: as an empty record they would be lost without a word. */
function mustBeThere(view: Uint8Array, data: unknown): void {
  try {
    set.call(nowhere, view)
  } catch {
    throw notBytes(data)
  }
}

function notBytes(data: unknown): ArgumentError {
  return refuse('data', 'a Uint8Array, another view of an ArrayBuffer, or a string', data)
}

function tooLong(length: number, most: number, given: unknown): ArgumentError {
  return new ArgumentError(`data must be at most maxBytes = ${most} bytes long, not ${length}`, { option: 'data', given })
}
