/** What the help says of flags that many commands have. */
export const FOLDER = 'where all state is kept (default: $RUNTIME_DIR, else the config file, else .runtime)';
export const CONFIG = 'configuration (default: runtime.config.{ts,js,json,yaml} in this folder, if there is one)';
