// The types that several modules of the app share. A browser never reads this file.

/** What the native API shows of a thing, by the name of the thing. */
type Device = NativeApi.Device;
type Role = NativeApi.Role;
type Session = NativeApi.Session;
type Store = NativeApi.Store;
type Ticket = NativeApi.Ticket;
type User = NativeApi.User;

declare namespace App {
  /** The page that an address names, the item that is open on it, and its parameters. */
  type Route = { page: string; id: string | null; query: URLSearchParams };
  /** How a page is read: for the first time, again, or again because of a change elsewhere. */
  type Refresh = boolean | "live";
  /** Keys of the keyboard with what they do. */
  type PageKeys = Record<string, { label: string; run: () => void }>;
  /** Something that was changed; kind `*` is anything. */
  type Change = { kind: string; id: string | null };

  /** A page: the kinds of changes that it shows, and how it is read and rendered. */
  type Page = {
    kinds: string[];
    load: (route: Route, refresh: Refresh) => Promise<void> | void;
    view: (route: Route) => any;
    keys?: () => PageKeys;
  };

  /** The response to a call. */
  type Response<T = any> = { status: number; data: T; etag: string | null; headers: Headers };
  type CallOptions<B = any, Q = Record<string, any>> = { body?: B; query?: Q; ifMatch?: string | null; asFile?: boolean };
  type RecordedCall = { method: string; path: string; body: any; status: number; at: number; took: number };
  /** What a response says of an error. */
  type ProblemBody = {
    title?: string;
    detail?: string;
    code?: string;
    right?: string;
    errors?: FieldError[];
    trace_id?: string;
    max_age?: number;
  };
  /** An invalid member of a body or parameter of a query; `rule` says which rule it violates, with its bounds. */
  type FieldError = {
    pointer?: string;
    parameter?: string;
    code: string;
    rule?: string;
    min?: number;
    max?: number;
    contrast?: string;
  };

  /** The parameters of an address; those without a value are left out. */
  type Parameters = Record<string, string | null | undefined>;
  /** What is filled into a text. */
  type Placeholders = Record<string, string | number>;
  /** The lists that many pages need, each with the kind of its changes and the right that is needed to read it. */
  type DirectoryName = "stores" | "roles" | "devices" | "users";
  type Directory = ListTimes & { kind: string; right?: string; items: any[]; pending: Promise<any[]> | null };
  type ListTimes = { readAt: number; changedAt: number };
  /** The lists of those who have a password. */
  type OwnerList = "users" | "devices";
  /** A user, as far as they are named. */
  type Named = { id: string; user_name?: string | null; display_name?: string | null };
  /** A session, as far as it says who is logged in where. */
  type SessionOf = { user?: any; device?: any };
  /** The functions of a module, called later. */
  type Acts<M> = { [K in keyof M]: M[K] extends (...given: infer A) => any ? (...given: A) => Promise<void> : never };

  /** One of the values of a selection. */
  type Option = { value: string; label: string; note?: string; group?: string; disabled?: boolean };
  /** What people entered in a form, by the names of its fields. */
  type Values = Record<string, any>;
  /** A field of a form. Without a label, it has that of the member with its name. */
  type Field = {
    name: string;
    label?: string;
    type?: "text" | "email" | "password" | "textarea" | "select" | "check" | "checks" | "number" | "date";
    /** Its value at first; in a form that changes something, that of the member with its name. */
    value?: any;
    options?: Option[];
    presets?: { label: string; values: string[] }[];
    hint?: string;
    warning?: string;
    required?: boolean;
    pointer?: string;
    autocomplete?: string;
    max?: number;
    readonly?: boolean;
    /** Empties it after an error, and gives it the focus from the start. */
    asksAgain?: boolean;
    /** Its only valid value. */
    expected?: string;
    when?: (values: Values) => boolean;
    /** What of it depends on the values of all fields. */
    dependent?: (values: Values) => Partial<Field>;
  };
  /** A field as it is shown. */
  type FieldState = {
    field: Field & { label: string };
    value: any;
    error: string | undefined;
    set: (name: string, value: any) => void;
  };
  /** The call of a form: method, path, body, and what else belongs to it. */
  type FormCall = [string, string, any?, { ifMatch?: string | null; query?: Record<string, any> }?];
  /**
   * A form in a dialog. It sends `asCall`, or changes what was read as `base` (`edit`), unless it has a `submit`. One
   * that is `locked` can only be sent, or left by `cancel`.
   */
  type Form = {
    title: string;
    text?: string;
    content?: any;
    /** What is to be considered first. */
    points?: string[];
    fields: Field[];
    action?: string;
    danger?: boolean;
    wide?: boolean;
    locked?: boolean;
    cancel?: { label: string; run: () => void };
    opened?: (close: (value?: any) => void) => void;
    asCall?: (values: Values) => FormCall;
    edit?: { path: string; etag: string | null; base: any; change: (values: Values) => Values };
    submit?: (values: Values) => Promise<any>;
  };
  type DialogParts = { title: string; leave: (() => void) | null; submit: (event: SubmitEvent) => void; body: any; foot: any };
  /** A question before something wide or final. With `name`, the person must type it first. */
  type Question = { title: string; text: string; points?: string[]; action: string; name?: string; fields?: Field[] };

  /** A column of a table. */
  type Column = { label: string; cell: (item: any) => any; class?: string } | false;
  /** How items are shown as a table. */
  type TableOptions = {
    columns: Column[];
    label: string;
    rowHref: (item: any) => string;
    openId?: string | null;
    actions?: (item: any) => MenuItem[];
    nameOf?: (item: any) => string;
    rowClass?: (item: any) => string;
    selection?: { selected: Set<string>; items: any[] } | null;
    isBusy?: boolean;
  };
  /** What can be done with several items. */
  type BulkAction = { label: string; icon: string; run: (items: any[]) => void };
  /** A page of a list. */
  type ListPart = { items: any[]; next: string | null };
  type List = import("../app/src/components/list.js").ListState;
  type Detail = import("../app/src/components/detail.js").Detail;
  /** What can be added: the button above the list, the one of an empty list, and the key `n`. */
  type Addition = { label: string; right: string; run: () => void };
  type Filter = { name: string; label: string; options: { value: string; label: string }[] };
  /** The panel of the item that is open. */
  type ItemPanel = { load: (id: string | null) => any; view: (id: string) => any };
  /** A page with a list of the API. Its filters are parameters of the list. */
  type ListDescription = Pick<TableOptions, "nameOf" | "rowClass" | "actions"> & {
    list: List;
    panel: ItemPanel;
    kinds: string[];
    columns: () => Column[];
    filters: () => Filter[];
    /** The order of the list without a choice. */
    sort?: string;
    /** Parameters of the address that are parameters of the list, besides those of the filters. */
    also?: string[];
    /** Other parameters of the list. */
    query?: (route: Route) => Record<string, any>;
    search?: () => string;
    end?: (route: Route) => any;
    head?: (route: Route) => any;
    add?: () => Addition;
    bulk?: () => (BulkAction | false)[];
    empty?: () => Emptiness;
    keys?: () => PageKeys;
  };
  /**
   * What a list without items says: what the thing is, the first action, and the same as commands; or where the list is
   * without its filter.
   */
  type Emptiness = {
    key: string;
    action?: { label: string; run: () => void };
    clear?: string;
    curl?: [string, string, any?];
    command?: string;
  };

  /** What a menu offers. */
  type MenuEntry = {
    label: string;
    icon?: string;
    run?: () => void;
    href?: string;
    danger?: boolean;
    checked?: boolean;
    key?: string;
    /** More classes of its button. */
    look?: string;
  };
  type MenuButton = { look: string; name: string; label?: string; title?: string };
  /** An entry of a menu; `null` is a separator, and other values without a label are nothing. */
  type MenuItem = MenuEntry | null | false | undefined | "";

  /** A page of the rail, with the rights of which one is needed to see it. */
  type RailPage = { id: string; icon: string; key?: string; rights: string[]; second?: boolean };
  /** The pages with their keys, the keys of the open page, and what shows all keys and searches everything. */
  type KeyContext = { pages: RailPage[]; page: () => PageKeys; help: () => void; search: () => void };
  /** How a device is shown on the board. */
  type CardOptions = { address: string; isOpen: boolean; isChanged: boolean };

  type Fact = [string, any] | false | null | undefined | "";
  type Tab = { id: string; label: string; body: () => any };
  /** A panel with a body, or with tabs, of which one is open. */
  type Panel = {
    title: any;
    subtitle?: any;
    state?: any;
    actions?: any;
    tabs?: (Tab | false)[];
    body?: any;
    wide?: boolean;
  };
  /** A short message, with an action such as Undo. */
  type Toast = { id: number; text: string } & ToastOptions;
  type ToastOptions = { detail?: string; bad?: boolean; action?: { label: string; run: () => void } };

  /** A code that enrolls a device, with its QR code, and when it expires by the clock of this machine. */
  type EnrollmentCode = { code: string; qr_code: string; created_at: string; until: number };
  /** The roles of a user on a device. */
  type Access = { device: string; roles: string[] };
  type AccessHolder = { devices: Access[] };
  /** The access of a user with the changes that are not saved, and the user and the version that it started from. */
  type AccessDraft = { base: any; etag: string | null; roles: string[]; devices: Access[] };
  /** The rights given to a role and taken from it that are not saved, with the version that was read. */
  type RoleDraft = { change: Map<string, boolean>; etag: string | null; base: NativeApi.Role };
  /** Roles as columns and rights as rows. */
  type RightsMatrix = {
    roles: any[];
    rights: { name: string; held: boolean }[];
    shows: "all" | "differ" | "held";
    openId: string | null;
    rightsOf: (role: any) => Set<string>;
    isEditable: (role: any) => boolean;
    toggle: (role: any, rights: string[], gives: boolean) => void;
    head: (role: any) => any;
  };
}
