using System;
using System.Collections.Generic;

namespace Callsheet.Wire
{
    /// <summary>What a <see cref="JsonValue"/> is.</summary>
    public enum JsonType
    {
        /// <summary>Nothing.</summary>
        Null,

        /// <summary>True or false.</summary>
        Boolean,

        /// <summary>A number.</summary>
        Number,

        /// <summary>A text.</summary>
        String,

        /// <summary>A list of values.</summary>
        Array,

        /// <summary>Values by name.</summary>
        Object,
    }

    /// <summary>A JSON value of a shape that only the game knows, such as the arguments of an action.</summary>
    public sealed class JsonValue
    {
        private static readonly JsonValue[] NoItems = Array.Empty<JsonValue>();
        private static readonly KeyValuePair<string, JsonValue>[] NoFields = Array.Empty<KeyValuePair<string, JsonValue>>();

        /// <summary>The value null.</summary>
        public static readonly JsonValue Null = new JsonValue(JsonType.Null);

        private JsonValue(JsonType type)
        {
            Type = type;
            Items = NoItems;
            Fields = NoFields;
        }

        /// <summary>What it is.</summary>
        public JsonType Type { get; }

        /// <summary>The value of a boolean.</summary>
        public bool Boolean { get; private set; }

        /// <summary>The value of a number.</summary>
        public double Number { get; private set; }

        /// <summary>The value of a number that was written without fraction or exponent, else null.</summary>
        public long? Integer { get; private set; }

        /// <summary>The value of a string, else null.</summary>
        public string Text { get; private set; }

        /// <summary>The items of an array, in order.</summary>
        public IReadOnlyList<JsonValue> Items { get; private set; }

        /// <summary>The fields of an object, in the order sent.</summary>
        public IReadOnlyList<KeyValuePair<string, JsonValue>> Fields { get; private set; }

        /// <summary>A field of an object; null if there is none.</summary>
        public JsonValue this[string name]
        {
            get
            {
                for (int i = Fields.Count - 1; i >= 0; i--)
                {
                    if (Fields[i].Key == name)
                    {
                        return Fields[i].Value;
                    }
                }
                return null;
            }
        }

        /// <summary>Makes a boolean.</summary>
        public static JsonValue Of(bool value) => new JsonValue(JsonType.Boolean) { Boolean = value };

        /// <summary>Makes a number.</summary>
        public static JsonValue Of(double value) => new JsonValue(JsonType.Number) { Number = value };

        /// <summary>Makes a number without a fraction.</summary>
        public static JsonValue Of(long value) => new JsonValue(JsonType.Number) { Number = value, Integer = value };

        /// <summary>Makes a text.</summary>
        public static JsonValue Of(string value) => new JsonValue(JsonType.String) { Text = value };

        /// <summary>Makes an array.</summary>
        public static JsonValue Of(IReadOnlyList<JsonValue> items) => new JsonValue(JsonType.Array) { Items = items };

        /// <summary>Makes an object.</summary>
        public static JsonValue Of(IReadOnlyList<KeyValuePair<string, JsonValue>> fields) =>
            new JsonValue(JsonType.Object) { Fields = fields };

        /// <summary>The value as JSON text.</summary>
        public override string ToString()
        {
            var writer = new JsonWriter();
            writer.Value(this);
            return System.Text.Encoding.UTF8.GetString(writer.Buffer, 0, writer.Count);
        }

        /// <summary>Copies a token and what is in it; null if a number in it is too great for a double.</summary>
        internal static JsonValue From(JsonDocument document, int token)
        {
            switch (document.Kind(token))
            {
                case JsonKind.False: return Of(false);
                case JsonKind.True: return Of(true);
                case JsonKind.String: return Of(document.Text(token));
                case JsonKind.Number:
                    if (document.TryInteger(token, out long integer))
                    {
                        return Of(integer);
                    }
                    return document.TryReal(token, out double real) ? Of(real) : null;
                case JsonKind.Array:
                    var items = new List<JsonValue>();
                    for (int t = token + 1; t < document.Next(token); t = document.Next(t))
                    {
                        items.Add(From(document, t));
                    }
                    return items.Contains(null) ? null : Of(items);
                case JsonKind.Object:
                    var fields = new List<KeyValuePair<string, JsonValue>>();
                    for (int t = token + 1; t < document.Next(token); t = document.Next(t + 1))
                    {
                        JsonValue value = From(document, t + 1);
                        if (value == null)
                        {
                            return null;
                        }
                        string name = document.Text(t);
                        int old = fields.FindIndex(f => f.Key == name);
                        if (old >= 0)
                        {
                            fields[old] = new KeyValuePair<string, JsonValue>(name, value);
                        }
                        else
                        {
                            fields.Add(new KeyValuePair<string, JsonValue>(name, value));
                        }
                    }
                    return Of(fields);
                default: return Null;
            }
        }
    }
}
