import { types } from 'node:util'
import { ArgumentError } from './errors/index.js'
import { FOREVER_MS } from './units.js'

/** How a refused value reads in a message. Never runs user code, so no toString, no toJSON, no custom inspection. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'bigint') return 'a bigint'
  if (typeof value === 'function') return 'a function'
  // The length of an array is its own; a proxy could run anything, and be revoked.
  if (!types.isProxy(value) && Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return `an object${ofClass(value)}`
  return String(value)
}

/** By the name of its class, if it is of one, somebody finds out that it is of another copy of the package. */
function ofClass(value: object): string {
  const prototype: unknown = types.isProxy(value) ? null : Object.getPrototypeOf(value)
  const made = prototype === null || types.isProxy(prototype) ? undefined : ownValue(prototype as object, 'constructor')
  if (typeof made !== 'function' || types.isProxy(made)) return ''
  const name = ownValue(made, 'name')
  return typeof name === 'string' && name !== 'Object' && NAME.test(name) ? ` of class ${name}` : ''
}

/** Of a property that has one: no getter is called. */
function ownValue(of: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(of, name)?.value
}

const NAME = /^[A-Z]\w{0,39}$/

/** The error for a refused argument: "`option` must be `expected`, not …". */
export function refuse(option: string, expected: string, given: unknown): ArgumentError {
  return new ArgumentError(`${option} must be ${expected}, not ${describe(given)}`, { option, given })
}

/** An options object: undefined counts as none. */
export function optionsObject(value: unknown, option: string): object | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null) throw refuse(option, 'an object', value)
  return value
}

/** Refuses properties that are not known, so that a misspelt option is not silently without effect. */
export function onlyKnown(options: object, known: readonly string[], what: string): void {
  // Many requests have options, and this way of listing them costs a tenth of any other (Node 20).
  for (const key in options) if (!isListed(known, key) && Object.hasOwn(options, key)) throw unknown(key, known, what)
}

/** A property that no option is called by: symbols, which nobody misspells, are refused only where it costs nothing to look. */
export function noSymbols(options: object, known: readonly string[], what: string): void {
  for (const symbol of Object.getOwnPropertySymbols(options)) throw unknown(symbol, known, what)
}

function isListed(known: readonly string[], key: string): boolean {
  for (let at = 0; at < known.length; at++) if (known[at] === key) return true
  return false
}

function unknown(key: string | symbol, known: readonly string[], what: string): ArgumentError {
  return new ArgumentError(`${what} has no option ${describe(key)}; known are ${known.join(', ')}`, { option: String(key), given: key })
}

/** An options object of which all that there may be is known. */
export function optionsOf<Options extends object>(
  value: Options | undefined,
  known: readonly (keyof Options & string)[],
  what: string
): Options {
  const given = optionsObject(value, 'options') ?? {}
  onlyKnown(given, known, what)
  return given as Options
}

/** Objects one after the other, each looked at when its turn comes. */
export function* objects<Each extends object>(value: Iterable<Each>, option: string): Generator<Each, void> {
  for (const each of iterable(value, option)) yield object(each, option)
}

/** Of what it has each is to be looked at by {@link object}: for those who read so many that a generator between would show. */
export function iterable<Each extends object>(value: Iterable<Each>, option: string): Iterable<Each> {
  if (typeof value !== 'object' || value === null || typeof value[Symbol.iterator] !== 'function')
    throw refuse(option, 'an array, or another iterable, of objects', value)
  return value
}

export function object<Each extends object>(value: Each, option: string): Each {
  if (typeof value !== 'object' || value === null) throw refuse(option, 'of objects', value)
  return value
}

/** The value under a name that a user chose: what every object has under it (`constructor`) is none. */
export function entry(object: object, name: string): unknown {
  return name in Object.prototype && !Object.hasOwn(object, name) ? undefined : (object as Record<string, unknown>)[name]
}

export function text(value: unknown, option: string): string {
  if (typeof value !== 'string') throw refuse(option, 'a string', value)
  return value
}

export function flag(value: unknown, option: string): boolean {
  if (typeof value !== 'boolean') throw refuse(option, 'true or false', value)
  return value
}

/** A whole number from `least` to `most`. */
export function count(value: unknown, option: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw refuse(option, `a whole number from ${least} to ${most}`, value)
  }
  return value
}

/** Milliseconds >= 0; what is longer than any process lives becomes Infinity. */
export function duration(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 0)) throw refuse(option, 'a number of milliseconds >= 0', value)
  return value < FOREVER_MS ? value : Number.POSITIVE_INFINITY
}

export function callback(value: unknown, option: string): void {
  if (typeof value !== 'function') throw refuse(option, 'a function', value)
}

export function abortSignal(value: unknown, option: string): AbortSignal {
  if (!(value instanceof EventTarget) || typeof (value as AbortSignal).aborted !== 'boolean') throw refuse(option, 'an AbortSignal', value)
  return value as AbortSignal
}

/** The index of a tier by its name. */
export function tierIndex(value: unknown, tiers: readonly string[], option: string): number {
  for (let index = 0; index < tiers.length; index++) if (tiers[index] === value) return index
  throw refuse(option, `one of ${tiers.map(tier => JSON.stringify(tier)).join(', ')}`, value)
}
