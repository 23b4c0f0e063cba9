import type { Session } from '../session.js'
import { makeTelemetry, type Telemetry } from '../telemetry.js'
import type { RecordFields } from './record.js'

/** Names that are remembered; beyond that the arena is asked again. */
const NAMES_MAX = 65_536
const GENERATIONS = 2 ** 20
/** Places that there is room for from the beginning. */
const PLACES_LEAST = 1_024

/** What an element is called, and a small number that stands for it as long as it is remembered. */
export interface NamedElement {
  readonly name: string
  readonly number: number
}

interface Known extends NamedElement {
  readonly generation: number
}

/** The names of what records have as numbers, each asked for once. */
export class RecordNames {
  readonly #telemetry: Telemetry
  readonly #capacity: number
  /** by place in the arena: 1 + the number of what is there, 0 none */
  #numbers = new Uint32Array(0)
  #elements: Known[] = []
  readonly #names = new Map<number, string>()

  /** @param renamed what an element is to be called; a name that is gone is empty */
  constructor(
    session: Session,
    readonly renamed: (place: string) => string
  ) {
    this.#telemetry = makeTelemetry(session)
    this.#capacity = session.binding.capacity.elements
  }

  /** Of the element that a record is about. */
  element(record: Pick<RecordFields, 'element' | 'generation'>): string {
    return this.numbered(record).name
  }

  /** The same, with its number. */
  numbered(record: Pick<RecordFields, 'element' | 'generation'>): NamedElement {
    const known = this.#elements[(this.#numbers[record.element] ?? 0) - 1]
    return known !== undefined && known.generation === record.generation ? known : this.#meet(record, known)
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
    this.#numbers.fill(0)
    this.#elements = []
  }

  /** @param before what was at its place; its number is free */
  #meet({ element, generation }: Pick<RecordFields, 'element' | 'generation'>, before: Known | undefined): NamedElement {
    const name = this.renamed(this.#telemetry.element({ element, generation }) ?? '')
    // No arena has such a place.
    if (!(element < this.#capacity)) return { name, number: NAMES_MAX }
    if (before === undefined && this.#elements.length >= NAMES_MAX) this.renew()
    this.#makeRoom(element)
    const known = { name, generation, number: before?.number ?? this.#elements.length }
    this.#elements[known.number] = known
    this.#numbers[element] = known.number + 1
    return known
  }

  #makeRoom(element: number): void {
    if (element < this.#numbers.length) return
    const numbers = new Uint32Array(Math.min(this.#capacity, Math.max(PLACES_LEAST, 2 * element)))
    numbers.set(this.#numbers)
    this.#numbers = numbers
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
