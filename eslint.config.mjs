// ESLint over the scripts of the dashboard and what the tests run in Node; `make check` runs it.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "consistent-return": "error",
      "default-case-last": "error",
      eqeqeq: "error",
      "max-lines": ["error", { max: 250 }],
      "max-lines-per-function": ["error", { max: 40, skipComments: true }],
      "no-alert": "error",
      "no-console": "error",
      "no-eval": "error",
      "no-implicit-globals": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unused-expressions": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-arrow-callback": "error",
      "prefer-const": "error",
      "prefer-rest-params": "error",
      "prefer-spread": "error",
    },
  },
  {
    files: ["frontend/assets/*.js"],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "script",
      globals: { ...globals.browser, thinice: "readonly" },
    },
    rules: { "no-restricted-properties": ["error", { property: "innerHTML", message: "Use textContent." }] },
  },
  { files: ["tests/**/*.js"], languageOptions: { ecmaVersion: 2022, sourceType: "commonjs", globals: globals.node } },
];
