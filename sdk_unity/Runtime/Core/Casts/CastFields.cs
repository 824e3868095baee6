using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>The fields of one object of a cast file; fields that are not known are passed over.</summary>
    internal readonly struct CastFields
    {
        private readonly JsonValue _object;
        private readonly string _path;

        /// <exception cref="FormatException">The value is no object.</exception>
        internal CastFields(JsonValue value, string path)
        {
            _object = value.Type == JsonType.Object ? value : throw new FormatException(path + " must be an object");
            _path = path;
        }

        internal string Needed(string name) => OptionalText(name) ?? throw Wrong(name, "must be a text");

        internal string Text(string name) => OptionalText(name) ?? "";

        internal string OptionalText(string name) => Find(name, JsonType.String, "a text")?.Text;

        internal bool Flag(string name) => Find(name, JsonType.Boolean, "true or false")?.Boolean ?? false;

        internal double Real(string name, double otherwise) => Find(name, JsonType.Number, "a number")?.Number ?? otherwise;

        internal long? OptionalInteger(string name)
        {
            JsonValue value = Find(name, JsonType.Number, "a number");
            if (value != null && value.Integer == null)
            {
                throw Wrong(name, "must be an integer");
            }
            return value?.Integer;
        }

        internal IReadOnlyList<string> Texts(string name)
        {
            CastFields fields = this;
            return Items(name)
                .Select(item => item.Text ?? throw fields.Wrong(name, "must be a list of texts"))
                .ToArray();
        }

        internal IReadOnlyList<T> Parts<T>(string name, Func<CastFields, T> make)
        {
            string path = _path + "." + name;
            return Items(name).Select((item, at) => make(new CastFields(item, path + "." + at))).ToArray();
        }

        internal IReadOnlyDictionary<string, JsonValue> Object(string name)
        {
            var found = new Dictionary<string, JsonValue>();
            JsonValue value = Find(name, JsonType.Object, "an object");
            if (value != null)
            {
                foreach (KeyValuePair<string, JsonValue> field in value.Fields)
                {
                    found[field.Key] = field.Value;
                }
            }
            return found;
        }

        internal IReadOnlyDictionary<string, string> TextByName(string name)
        {
            CastFields fields = this;
            return Object(name).ToDictionary(
                field => field.Key,
                field => field.Value.Text ?? throw fields.Wrong(name, "must have texts in it"));
        }

        private IReadOnlyList<JsonValue> Items(string name) =>
            Find(name, JsonType.Array, "a list")?.Items ?? Array.Empty<JsonValue>();

        /// <summary>A field's value; null if it is missing or null.</summary>
        private JsonValue Find(string name, JsonType type, string words)
        {
            JsonValue value = _object[name];
            if (value == null || value.Type == JsonType.Null)
            {
                return null;
            }
            return value.Type == type ? value : throw Wrong(name, "must be " + words);
        }

        private FormatException Wrong(string name, string rule) => new FormatException(_path + "." + name + " " + rule);
    }
}
