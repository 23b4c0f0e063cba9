import { isDeepStrictEqual } from 'node:util'
import { ConfigError } from './errors/index.js'

type Options = Readonly<Record<string, unknown>>

/**
 * What runs already is asked to begin: with the same options, or none, that is nothing to do. What is not said is as it is.
 *
 * @param what runs
 * @param running its options, as they were read
 * @param given those that it is to have now, as somebody gave them
 * @param wanted the same, as they were read
 * @throws ConfigError for the first one that differs
 */
export function mustRunWith(what: string, running: object, given: object, wanted: object): void {
  for (const option of Object.keys(wanted)) {
    if ((given as Options)[option] === undefined) continue
    const [stored, asked] = [(running as Options)[option], (wanted as Options)[option]]
    if (!isDeepStrictEqual(stored, asked)) throw otherwise(what, option, stored, asked)
  }
}

export function otherwise(what: string, option: string, stored: unknown, given: unknown): ConfigError {
  const difference = isShort(stored) && isShort(given) ? `${option} = ${stored}, not ${given}` : `other ${option}`
  return new ConfigError(`${what} runs already with ${difference}; stop it first`, { option, stored, given })
}

function isShort(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}
