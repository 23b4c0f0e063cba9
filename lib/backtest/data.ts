import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ArgumentError } from '../errors/index.js'

/** The folder of the public data: as given, or FORELOCK_DATA, or `../shared/data`. */
export function dataFolder(given: string | undefined): string {
  return resolve(given ?? process.env.FORELOCK_DATA ?? join('..', 'shared', 'data'))
}

/** The first of these folders that is not there; undefined: all are. */
export function missing(data: string, needs: readonly string[]): string | undefined {
  return needs.find(folder => !existsSync(join(data, folder)))
}

/** @throws ArgumentError */
export function mustHave(data: string, needs: readonly string[]): void {
  const absent = missing(data, needs)
  if (absent === undefined) return
  const message = `there is no ${join(data, absent)}: name the folder of the data by --data or FORELOCK_DATA`
  throw new ArgumentError(message, { option: 'data', given: data })
}
