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
const SEED = 0x811c9dc5 | 0

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

/** FNV-1a, from which a hash is 0 only by chance, and then a string counts as missing. */
function hashParts(text: string, out: Int32Array, at: number): void {
  let [whole, last, ends, wasPart] = [SEED, SEED, 0, false]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const isPart = isPartOfName(code)
    if (wasPart && !isPart && ++ends <= 2) out[at + ends - 1] = whole
    whole = mixed(whole, code)
    last = isPart ? mixed(last, code) : SEED
    wasPart = isPart
  }
  if (ends > 0 && last !== SEED) out[at + 2] = last
  out[at + 3] = whole
}

function mixed(state: number, code: number): number {
  return Math.imul(state ^ code, 0x01000193) | 0
}

/** Letters, digits, and all that is not ASCII. */
function isPartOfName(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code >= 128
}
