import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api'
import { here } from '../native/here.js'
import { type COLUMNS, type EventBlock, isText, type Words } from './event-block.js'

type DuckDb = typeof import('@duckdb/node-api')

/** Of DuckDB's low-level bindings: a column goes over as a whole, with a bit for each row that says whether it has a value. */
export interface Bindings {
  data_chunk_get_vector(chunk: unknown, column: number): unknown
  copy_data_to_vector(vector: unknown, at: number, from: ArrayBufferLike, offset: number, bytes: number): void
  vector_ensure_validity_writable(vector: unknown): void
  copy_data_to_vector_validity(vector: unknown, at: number, from: ArrayBufferLike, offset: number, bytes: number): void
}

type Places = Uint8Array | Uint16Array | Uint32Array

/** The words of a list as a type, and what a place in it is written as. */
interface List {
  readonly type: DuckDBType
  readonly places: new (length: number) => Places
}

const ROWS_A_WORD = 64
const BYTES_A_WORD = 8

/**
 * Blocks as data chunks. Their texts go over as places in one list of words, an ENUM, which DuckDB turns into texts by itself: handing over each
 * text by itself costs four times as much. And columns go over whole: value by value, each is looked up in that list again, and makes bigints of the
 * mask of its column, which took a sixth of the CPU of a flush.
 */
export class EventChunks {
  readonly #duckdb: DuckDb
  readonly #columns: typeof COLUMNS
  readonly #bindings: Bindings | undefined
  readonly #lists = new Map<Words, List>()
  #chunk: DuckDBDataChunk | undefined
  #words: Words | undefined
  /** which columns of the chunk have had a mask: it stays, whatever comes next */
  #masked: boolean[] = []

  /**
   * @param columns in the order of the table
   * @param whole undefined: values go over one by one
   */
  constructor(duckdb: DuckDb, columns: typeof COLUMNS, whole: Bindings | undefined) {
    this.#duckdb = duckdb
    this.#columns = columns
    this.#bindings = whole
  }

  /** The same chunk each time, if it fits: it is to be appended before the next call. */
  filledWith(block: EventBlock): DuckDBDataChunk {
    const { length, words } = block
    if (this.#chunk === undefined || this.#words !== words || this.#chunk.rowCount !== length) this.#make(words, length)
    const chunk = this.#chunk as DuckDBDataChunk
    for (const at of this.#columns.keys()) {
      if (this.#bindings === undefined) this.#fillByValue(chunk, at, block)
      else this.#fillWhole(this.#bindings, chunk, at, block)
    }
    return chunk
  }

  #fillWhole(bindings: Bindings, { chunk }: DuckDBDataChunk, at: number, block: EventBlock): void {
    const name = this.#columns[at]
    const { places } = this.#listOf(block.words)
    const values = isText(name) ? placesOf(block[name], places) : block[name]
    const mask = isText(name) ? maskOfTexts(block[name]) : maskOfNumbers(block[name])
    const vector = bindings.data_chunk_get_vector(chunk, at)
    bindings.copy_data_to_vector(vector, 0, values.buffer, values.byteOffset, values.byteLength)
    if (mask === undefined && !this.#masked[at]) return
    this.#masked[at] = true
    const bits = mask ?? allOf(block.length)
    bindings.vector_ensure_validity_writable(vector)
    bindings.copy_data_to_vector_validity(vector, 0, bits.buffer, bits.byteOffset, bits.byteLength)
  }

  #fillByValue(chunk: DuckDBDataChunk, at: number, block: EventBlock): void {
    const { texts } = block.words
    const name = this.#columns[at]
    const vector = chunk.getColumnVector(at)
    for (let row = 0; row < block.length; row++) {
      const value = block[name][row]
      if (isText(name)) vector.setItem(row, value === 0 ? null : texts[value])
      else vector.setItem(row, Number.isNaN(value) ? null : value)
    }
    vector.flush()
  }

  #make(words: Words, length: number): void {
    const { DuckDBDataChunk, DOUBLE } = this.#duckdb
    const { type } = this.#listOf(words)
    this.#words = words
    this.#masked = []
    this.#chunk = DuckDBDataChunk.create(
      this.#columns.map(name => (isText(name) ? type : DOUBLE)),
      length
    )
  }

  /** As of the first block that has it: what comes to it later is in none that is there by now. */
  #listOf(words: Words): List {
    const known = this.#lists.get(words)
    if (known !== undefined) return known
    const texts = words.texts.slice(1)
    const list = {
      type: this.#duckdb.ENUM(texts),
      places: texts.length < 2 ** 8 ? Uint8Array : texts.length < 2 ** 16 ? Uint16Array : Uint32Array
    }
    this.#lists.set(words, list)
    return list
  }
}

/** Numbers of words as places in the list without none. */
function placesOf(numbers: Uint32Array, kind: List['places']): Places {
  const places = new kind(numbers.length)
  for (let row = 0; row < numbers.length; row++) places[row] = numbers[row] === 0 ? 0 : numbers[row] - 1
  return places
}

/** A bit for each row, in 64-bit words; undefined: each of them has a value. */
function maskOfTexts(numbers: Uint32Array): Uint8Array | undefined {
  let mask: Uint8Array | undefined
  for (let row = 0; row < numbers.length; row++) {
    if (numbers[row] !== 0) continue
    mask ??= allOf(numbers.length)
    mask[row >> 3] &= ~(1 << (row & 7))
  }
  return mask
}

/** The same. Twice, because a call for each value would cost more than all else that is done here. */
function maskOfNumbers(numbers: Float64Array): Uint8Array | undefined {
  let mask: Uint8Array | undefined
  for (let row = 0; row < numbers.length; row++) {
    if (!Number.isNaN(numbers[row])) continue
    mask ??= allOf(numbers.length)
    mask[row >> 3] &= ~(1 << (row & 7))
  }
  return mask
}

const allOf = (length: number) => new Uint8Array(Math.ceil(length / ROWS_A_WORD) * BYTES_A_WORD).fill(0xff)

/** Those that the package itself stands on; undefined where it stands on others, and values go over one by one. */
export function bindings(): Bindings | undefined {
  try {
    const own = createRequire(join(here, 'here.js'))
    const found = createRequire(own.resolve('@duckdb/node-api'))('@duckdb/node-bindings')
    const known: Record<keyof Bindings, unknown> = found.default ?? found
    const { data_chunk_get_vector, copy_data_to_vector, vector_ensure_validity_writable, copy_data_to_vector_validity } = known
    const all = [data_chunk_get_vector, copy_data_to_vector, vector_ensure_validity_writable, copy_data_to_vector_validity]
    return all.every(call => typeof call === 'function') ? (known as Bindings) : undefined
  } catch {
    // Another layout of packages: nothing but speed depends on it.
    return undefined
  }
}
