import { refuse } from '../checks.js'
import { type DuckDbStoreOptions, duckDbTerms, openDuckDbStore } from './duckdb.js'
import { openPostgresStore, type PostgresStoreOptions, postgresTerms } from './postgres.js'
import type { HistoryStore } from './store.js'

/** Where a store is, for who opens it in a thread of its own: the path of a file, or a connection string, and the options of its kind. */
export type StorePlace = ({ readonly duckdb: string } & DuckDbStoreOptions) | ({ readonly postgres: string } & PostgresStoreOptions)

export function isPlace(where: object): where is StorePlace {
  return 'duckdb' in where || 'postgres' in where
}

/** @throws ArgumentError for what can be seen to be wrong before it is opened */
export function checkPlace(place: StorePlace): void {
  if ('duckdb' in place === 'postgres' in place) throw refuse('store', '{ duckdb } or { postgres }, not both', place)
  if ('duckdb' in place) {
    const { duckdb, ...options } = place
    duckDbTerms(duckdb, options)
  } else {
    const { postgres, ...options } = place
    postgresTerms(postgres, options)
  }
}

export function openPlace(place: StorePlace): Promise<HistoryStore> {
  if ('duckdb' in place) {
    const { duckdb, ...options } = place
    return openDuckDbStore(duckdb, options)
  }
  const { postgres, ...options } = place
  return openPostgresStore(postgres, options)
}
