// What the scripts find on the page besides the DOM: Dash, Plotly, React and each other. Read by tsc alone.

/** What each script gives to the others. */
interface ThinIce {
  /** frontend/app.py: the component ids of each page by the names of its ids.py, and those of the shell. */
  ids: {
    compare: { CURVE: string; HISTOGRAM: string; HOVER: string; HOVER_IMAGE: string; HOVER_TEXT: string; PAGE: string; SCATTER: string; SHARE: string; WALL: string };
    sample: { BLINK: string; KEY_LIST: string; PAGE: string };
    samples: { PAGE: string; WALL: string };
    shell: { PAGE: string };
    upload: { ARCHITECTURE: string; BUNDLE_CAME: string; BUNDLE_GO: string; DROP: string; FILE: string; GO: string; INPUT: string; KEEP_RATE: string; NAME: string; PAGE: string; PARENT: string; REFUSAL: string; SET_GO: string; STATUS: string };
  };
  /** shell.js: the address with its query changed; no new entry in the history where `replace`. */
  go(changes: Query, replace: boolean): void;
  /** shell.js: another page, without loading the document anew. */
  visit(path: string, query: Query): void;
  /** shell.js: a path with its query. */
  address(path: string, query: Query): string;
  charts: {
    find(id: string): Chart | null;
    moveShapes(ids: string[], moves: Record<string, number>): void;
  };
  elements: {
    closest(event: Event, selector: string): HTMLElement | null;
    data(element: Element, name: string): string;
    make(tag: string, className: string, text?: string): HTMLElement;
    isPlainClick(event: MouseEvent): boolean;
  };
  numbers: {
    fixed(value: number, digits: number): string;
    count(number: number): string;
    percent(share: number, digits: number): string;
    sizeWords(bytes: number): string;
  };
  distances: {
    asText(value: number, unit: Unit): string;
    fromText(text: string | null | undefined, fallback: number, unit: Unit): number;
    words(value: number | null | undefined, unit: Unit): string;
    isNear(first: number, second: number): boolean;
  };
  ice: {
    TOLERANCE: number;
    isThin(margin: number | null | undefined, delta: number): boolean;
    count(points: Points, delta: number): ThinCounts;
    sentence(points: Points | null, delta: number, pair: Pair): string;
  };
  uploadForm: {
    CHECKPOINT_FIELDS: string[];
    DATASET_FIELDS: string[];
    asShare(percent: unknown): number;
    asPercent(share: number): number;
    isInPercent(field: string): boolean;
    write(names: string[], values: unknown[]): [string, string][];
    nameOf(filename: string): string;
    describeRole(role: string): [string, boolean, boolean, boolean];
    chooseParent(dataset: string, parents: ParentChoice[], current: string | null): [Choice[], string | null];
    suggestSamples(parent: string | null, preset: string | null, role: string, parents: ParentChoice[]): [number, string];
    describePreview(found: UploadPreview): string;
    progress(loaded: number, size: number, seconds: number): Progress;
  };
  helpEntries: {
    find(query: string, index: HelpEntry[]): HelpEntry[];
    excerpt(words: string, query: string): string;
  };
  uploadFile: {
    build(setup: UploadSetup): void;
    isSending(): boolean;
  };
  uploadPreview: {
    checkName(typed: string | null): void;
    findParent(upload: Upload | null, dataset: string | null, setup: UploadSetup): Promise<void>;
    forget(): void;
  };
  refusal: {
    refuse(error: RestError | null): void;
    parse(text: string): Record<string, unknown> | null;
    errorOf(response: Record<string, unknown> | null, status: number): RestError;
  };
}

/** An entry of Help (`list_entries`, sent by frontend/pages/help/frame.py): address, title, kind, words. */
type HelpEntry = [string, string, string, string];

/** Keys and values of a query; null or nothing takes the key out of it. */
type Query = Record<string, string | number | null | undefined>;

/** What a length in shown units is multiplied with, and what stands behind it. */
interface Unit {
  scale: number;
  suffix: string;
}

/** A pair with sliders (`browser_state` in frontend/pages/samples/layout.py); lengths in shown units. */
interface Pair extends Unit {
  dense: string;
  pruned: string;
  has_margins: boolean;
  default_eps: number;
  default_delta: number;
}

/** A compared pair (`page_state` in frontend/pages/compare/layout.py). */
interface ComparedPair extends Pair {
  dataset: string;
}

/** One entry per sample (`browser_points` in frontend/pages/compare/callbacks.py); null: no margin was found. */
interface Points {
  index: number[];
  clean: string[];
  set: string[];
  dense: (number | null)[];
  pruned: (number | null)[];
  labels: [string, string, string][];
}

/** Samples that the dense model gets right, of these lost, up to the threshold, and both. */
interface ThinCounts {
  held: number;
  lost: number;
  flagged: number;
  caught: number;
}

/** What a callback of Plotly's gives; `Custom` is what the figure keeps with each mark. */
interface Marked<Custom> {
  points?: { customdata?: Custom; bbox?: { x1: number; y0: number } }[];
}

/** A cell that live.js changes; what is left out stays. */
interface Cell {
  text?: string;
  width?: string;
  value?: string | number;
  title?: string;
}

/** What the upload page begins with (`setup` in frontend/pages/upload/layout.py). */
interface UploadSetup {
  kind: string;
  words: string;
  limit_bytes: number;
  parents: ParentChoice[];
}

interface Choice {
  value: string;
  label: string;
}

interface ParentChoice extends Choice {
  name: string;
  dataset: string;
  /** How many samples its newest evaluation has, by preset. */
  samples: Record<string, number>;
}

/** The response of PUT /api/v1/uploads. */
interface Upload {
  upload_id: string;
  filename: string;
  bytes: number;
  sha256: string;
}

/** The response of GET /api/v1/uploads/{upload_id}/preview. */
interface UploadPreview {
  architecture: string;
  parameters: number;
  measured_sparsity: number;
  likely_parent: { checkpoint_id: string; name: string; correlation: number } | null;
}

/** `error` of any response of REST. */
interface RestError {
  code: string;
  message: string;
  request_id?: string;
  details?: { ask?: string; suggestion?: unknown };
}

interface Progress {
  width: string;
  percent: number;
  words: string;
}

/** A chart that Plotly drew. */
interface Chart extends HTMLElement {
  layout?: {
    shapes?: { name?: string; yref?: string; x0?: number; x1?: number; y0?: number; y1?: number }[];
    annotations?: { name?: string; x?: number; xanchor?: string }[];
  };
  _fullLayout: { xaxis?: { l2p(value: number): number } };
}

interface DashClientside {
  no_update: unknown;
  callback_context: { triggered: { prop_id: string; value: unknown }[] };
  set_props(id: string, props: Record<string, unknown>): void;
  [namespace: string]: unknown;
}

interface Window {
  dash_clientside: DashClientside;
  dashAgGridComponentFunctions?: Record<string, (props: { value: number }) => unknown>;
  Plotly?: { relayout(chart: Chart, update: Record<string, unknown>): void };
  React: { createElement(tag: string, attributes: Record<string, unknown>, text: string): unknown };
}

declare var thinice: ThinIce;
