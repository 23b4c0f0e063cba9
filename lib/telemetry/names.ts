import type { Session } from '../session.js'
import { makeTelemetry, type Telemetry } from '../telemetry.js'
import type { RecordFields } from './record.js'

/** Names that are remembered; beyond that the arena is asked again. */
const NAMES_MAX = 65_536
const GENERATIONS = 2 ** 20

/** The names of what records have as numbers, each asked for once. */
export class RecordNames {
  readonly #telemetry: Telemetry
  readonly #elements = new Map<number, string>()
  readonly #names = new Map<number, string>()

  /** @param renamed what an element is to be called; a name that is gone is empty */
  constructor(
    session: Session,
    readonly renamed: (place: string) => string
  ) {
    this.#telemetry = makeTelemetry(session)
  }

  /** Of the element that a record is about. */
  element(record: Pick<RecordFields, 'element' | 'generation'>): string {
    const key = placeOf(record)
    return this.#elements.get(key) ?? remember(this.#elements, key, this.renamed(this.#telemetry.element(record) ?? ''))
  }

  /** Of a workflow, a tenant, a client, a kind of notes; undefined: none, or not known. */
  name(id: number): string | undefined {
    if (id === 0) return undefined
    const known = this.#names.get(id)
    if (known !== undefined) return known
    const name = this.#telemetry.names([id]).get(id)
    return name === undefined ? undefined : remember(this.#names, id, name)
  }

  /** Elements are called otherwise from now on. */
  renew(): void {
    this.#elements.clear()
  }
}

/** A number for an element. One of a place at a time is remembered: generations follow each other. */
export function placeOf({ element, generation }: Pick<RecordFields, 'element' | 'generation'>): number {
  return element * GENERATIONS + (generation % GENERATIONS)
}

function remember(names: Map<number, string>, key: number, name: string): string {
  if (names.size >= NAMES_MAX) names.clear()
  names.set(key, name)
  return name
}
