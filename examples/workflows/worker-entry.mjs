// Workers and child processes start here: they do not inherit the TypeScript loader of their parent on every Node.
import { register } from 'tsx/esm/api'

register()
await import('./worker.ts')
