import { Samples, type Spread } from './samples.js'

/** What is known of a field of the inputs of runs: how large its numbers are, or which values it has. */
export interface InputProfile {
  /** of numbers */
  readonly amount: Spread | undefined
  /** of texts and truth values: by value the part of the runs that had it, of the 32 that were seen first */
  readonly shares: Readonly<Record<string, number>> | undefined
}

/** Of more fields, and values, the others are not told apart. */
const FIELDS_MAX = 64
const VALUES_MAX = 32

interface Field {
  readonly amount: Samples
  readonly values: Map<string, number>
  /** how many had a text or a truth value */
  count: number
}

/** Learns what runs are about, of the fields of their inputs that are kept. */
export class InputLearner {
  private readonly fields = new Map<string, Field>()

  add(input: Readonly<Record<string, unknown>>): void {
    for (const name in input) {
      const field = this.field(name)
      if (field !== undefined) learn(field, input[name])
    }
  }

  profile(): Readonly<Record<string, InputProfile>> {
    return Object.fromEntries([...this.fields].map(([name, field]) => [name, profileOf(field)]))
  }

  clear(): void {
    this.fields.clear()
  }

  private field(name: string): Field | undefined {
    let field = this.fields.get(name)
    if (field === undefined && this.fields.size < FIELDS_MAX) {
      field = { amount: new Samples(), values: new Map(), count: 0 }
      this.fields.set(name, field)
    }
    return field
  }
}

function learn(field: Field, value: unknown): void {
  if (typeof value === 'number') {
    field.amount.add(value)
    return
  }
  if (typeof value !== 'string' && typeof value !== 'boolean') return
  const key = String(value)
  field.count++
  const seen = field.values.get(key)
  if (seen !== undefined || field.values.size < VALUES_MAX) field.values.set(key, (seen ?? 0) + 1)
}

function profileOf({ amount, values, count }: Field): InputProfile {
  const shares = [...values].map(([value, times]) => [value, times / count] as const)
  return { amount: amount.spread(), shares: count === 0 ? undefined : Object.fromEntries(shares) }
}
