import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dataFolder } from '../../backtest/data.js'
import { ArgumentError } from '../../errors/index.js'
import type { Trace } from '../trace.js'
import { azureLlm } from './azure-llm.js'
import { cloudphysics } from './cloudphysics.js'
import { GENERATED, generated } from './generated.js'
import { mooncake } from './mooncake.js'
import { nezha } from './nezha.js'
import { sizey } from './sizey.js'
import { type TableOptions, table } from './table.js'

interface Format {
  /** of the files of which it is made */
  readonly files: RegExp
  /** @param files in the order of their names */
  open(files: readonly string[], options: TableOptions): readonly Trace[]
}

/** By name; those of known traces come before any table. */
const FORMATS: Readonly<Record<string, Format>> = {
  azure_llm: { files: /^AzureLLMInferenceTrace_\w+\.csv$/, open: files => [azureLlm(files)] },
  sizey: { files: /^trace_\w+\.csv(\.gz)?$/, open: files => files.map(sizey) },
  cloudphysics: { files: /\.vscsi$/, open: files => files.map(cloudphysics) },
  nezha: { files: /^trainticket.*\.tar\.xz$/, open: files => files.map(nezha) },
  mooncake: { files: /^conversation_trace\.jsonl(\.gz)?$/, open: files => files.map(mooncake) },
  table: { files: /\.(csv|jsonl|ndjson)(\.gz)?$|\.parquet$/i, open: (files, options) => files.map(file => table(file, options)) }
}

export interface OpenTraceOptions extends TableOptions {
  /** name of a format, where the names of the files do not tell */
  readonly format?: string | undefined
  /** the folder of the public data */
  readonly data?: string | undefined
}

/**
 * Opens a trace by the path of a file or folder, or by its name in the folder of the public data; or makes one up, `generated`. One folder can be several.
 *
 * @throws ArgumentError
 */
export function openTraces(place: string, options: OpenTraceOptions = {}): readonly Trace[] {
  const { format } = options
  if (format !== undefined && !Object.hasOwn(FORMATS, format)) {
    throw new ArgumentError(`--format must be one of ${Object.keys(FORMATS).join(', ')}`, { option: 'format', given: format })
  }
  if (place === GENERATED && !existsSync(place)) return [generated()]
  const path = found(place, options.data)
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .map(name => join(path, name))
    : [path]
  const candidates = format === undefined ? Object.values(FORMATS) : [FORMATS[format] as Format]
  for (const one of candidates) {
    const mine = files.filter(file => format !== undefined || one.files.test(basename(file)))
    // A mapping is of a table, whatever its file is called.
    if (mine.length > 0 && (options.mapping === undefined || one === FORMATS.table)) return one.open(mine, options)
  }
  throw new ArgumentError(`${path} is no trace that is known: it takes *.csv, *.jsonl, *.parquet, or the files of a public trace`, {
    option: 'TRACE',
    given: place
  })
}

function found(place: string, data: string | undefined): string {
  if (existsSync(place)) return place
  const named = join(dataFolder(data), place)
  if (/^\w+$/.test(place) && existsSync(named)) return named
  throw new ArgumentError(`there is no ${place}, and no ${named}`, { option: 'TRACE', given: place })
}
