import { type EventRow, TABLES } from './rows.js'

/** Texts that many rows share: each is kept once, and rows have its number. 0 is none. */
export class Words {
  /** the first stands for none */
  readonly texts: string[] = ['']
  /** whether each of them reads the same for what ends texts at a NUL, or knows well-formed ones only */
  plain = true
  readonly #numbers = new Map<string, number>()

  of(text: string | undefined): number {
    if (text === undefined) return 0
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.texts.length
    this.texts.push(text)
    this.#numbers.set(text, number)
    if (text.includes('\u0000') || /\p{Surrogate}/u.test(text)) this.plain = false
    return number
  }
}

export const NUMBERS = ['time', 'amount', 'waited', 'held'] as const
export const TEXTS = ['event', 'kind', 'element', 'tier', 'outcome', 'workflow', 'tenant', 'client', 'participant'] as const
type Numbers = { readonly [N in (typeof NUMBERS)[number]]: Float64Array }
type Texts = { readonly [T in (typeof TEXTS)[number]]: Uint32Array }

/** Rows of a block: as many as a data chunk of DuckDB has. */
export const BLOCK_ROWS = 2048

/**
 * Events by column. A hundred thousand of them come in a second, and as objects they would cost more to make, check and take apart again than to
 * be written.
 */
export interface EventBlock extends Numbers, Texts {
  readonly words: Words
  readonly length: number
}

/** Columns that are to be filled. What is NaN, or 0 of a text, is absent. */
export function newBlock(words: Words, length: number): EventBlock {
  const number = () => new Float64Array(length)
  const text = () => new Uint32Array(length)
  return {
    words,
    length,
    time: number(),
    amount: number(),
    waited: number(),
    held: number(),
    event: text(),
    kind: text(),
    element: text(),
    tier: text(),
    outcome: text(),
    workflow: text(),
    tenant: text(),
    client: text(),
    participant: text()
  }
}

/** Some of the rows, by their places. */
export function rowsAt(block: EventBlock, places: readonly number[]): EventBlock {
  const some = newBlock(block.words, places.length)
  for (const name of [...NUMBERS, ...TEXTS]) for (const [at, place] of places.entries()) some[name][at] = block[name][place]
  return some
}

/** The first of the rows. */
export function firstOf(block: EventBlock, length: number): EventBlock {
  return rowsAt(block, [...Array(length).keys()])
}

export function withoutTenant(block: EventBlock, tenant: string): EventBlock {
  const { texts } = block.words
  const kept = [...Array(block.length).keys()].filter(at => block.tenant[at] === 0 || texts[block.tenant[at]] !== tenant)
  return kept.length === block.length ? block : rowsAt(block, kept)
}

/** The same as rows, for a store that takes no columns. */
export function eventRows(block: EventBlock): EventRow[] {
  return Array.from({ length: block.length }, (_, at) => eventRow(block, at))
}

export function eventRow(block: EventBlock, at: number): EventRow {
  const row: Record<string, unknown> = {}
  for (const name of COLUMNS) {
    const value = block[name][at]
    if (isText(name)) {
      if (value !== 0) row[name] = block.words.texts[value]
    } else if (!Number.isNaN(value)) row[name] = value
  }
  return row as unknown as EventRow
}

/** In the order of the table. */
export const COLUMNS = Object.keys(TABLES.events.columns) as (keyof Numbers | keyof Texts)[]

export const isText = (name: string): name is keyof Texts => TABLES.events.columns[name as keyof Texts].type === 'text'
