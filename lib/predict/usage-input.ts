import { optionsObject, refuse } from '../checks.js'

/** Parameters that count at most, the first ones seen: each costs time with every prediction. */
const NUMBERS_MAX = 6
const TEXTS_MAX = 4
/** Of a string; what is longer differs in what comes before. */
const TEXT_MAX = 1024

/**
 * Names are often made of others, as in `europe/tiles/42.png`: beside the whole string count its first part, its first two and its last one, where it
 * has more than these. The coarse ones come first.
 */
const PARTS = 4
const SEPARATOR = /[^\p{L}\p{N}]+/gu

/** Of a request: what it is asked to do. Other values than these say nothing, and neither do NaN and infinite numbers. */
export type UsageInput = Readonly<Record<string, number | string | boolean | bigint | null | undefined>>

/** An input as models take it. */
export interface Row {
  /** by field; NaN: missing */
  readonly numbers: Float64Array
  /** hashes of strings and of their parts: {@link PARTS} by field; 0: missing */
  readonly texts: Int32Array
}

/** The fields of the inputs of one kind of request: a parameter that is now a number and then a string is two. */
export class Fields {
  constructor(
    private readonly numbers: string[] = [],
    private readonly texts: string[] = []
  ) {}

  /** Takes note of the fields that are new. */
  meet(input: UsageInput): void {
    for (const name in input) {
      const kind = kindOf(input[name])
      if (kind === 'number') note(this.numbers, name, NUMBERS_MAX)
      else if (kind === 'text') note(this.texts, name, TEXTS_MAX)
    }
  }

  encode(input: UsageInput): Row {
    const numbers = new Float64Array(this.numbers.length)
    for (let i = 0; i < numbers.length; i++) {
      const value = own(input, this.numbers[i] as string)
      numbers[i] = kindOf(value) === 'number' ? Number(value) : Number.NaN
    }
    const texts = new Int32Array(PARTS * this.texts.length)
    for (let i = 0; i < this.texts.length; i++) {
      const value = own(input, this.texts[i] as string)
      if (kindOf(value) === 'text') hashParts(String(value).slice(0, TEXT_MAX), texts, PARTS * i)
    }
    return { numbers, texts }
  }

  save(): [numbers: string[], texts: string[]] {
    return [this.numbers, this.texts]
  }
}

/** @throws ArgumentError */
export function readInput(value: unknown): UsageInput {
  if (Array.isArray(value)) throw refuse('input', 'an object', value)
  return (optionsObject(value, 'input') ?? {}) as UsageInput
}

function own(input: UsageInput, name: string): unknown {
  return Object.hasOwn(input, name) ? input[name] : undefined
}

function kindOf(value: unknown): 'number' | 'text' | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? 'number' : undefined
  if (typeof value === 'bigint') return Number.isFinite(Number(value)) ? 'number' : undefined
  return typeof value === 'string' || typeof value === 'boolean' ? 'text' : undefined
}

function note(names: string[], name: string, most: number): void {
  if (names.length < most && !names.includes(name)) names.push(name)
}

function hashParts(text: string, out: Int32Array, at: number): void {
  const ends = [...text.matchAll(SEPARATOR)]
  const [first, second, last] = [ends[0], ends[1], ends.at(-1)]
  if (first !== undefined) out[at] = hash(text, 0, first.index)
  if (second !== undefined) out[at + 1] = hash(text, 0, second.index)
  if (last !== undefined) out[at + 2] = hash(text, last.index + last[0].length, text.length)
  out[at + 3] = hash(text, 0, text.length)
}

/** FNV-1a, never 0. */
function hash(text: string, from: number, to: number): number {
  let state = 0x811c9dc5
  for (let i = from; i < to; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return state | 0 || 1
}
