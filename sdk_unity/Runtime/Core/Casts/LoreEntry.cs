using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>Something that is known: always, or when one of its keys is heard.</summary>
    public sealed class LoreEntry
    {
        internal LoreEntry(CastFields fields)
        {
            Content = fields.Needed("content");
            Keys = fields.Texts("keys");
            SecondaryKeys = fields.Texts("secondary_keys");
            Logic = fields.OptionalText("logic") ?? "any";
            Constant = fields.Flag("constant");
            Order = fields.Real("order", 100);
            Probability = fields.Real("probability", 1);
            CaseSensitive = fields.Flag("case_sensitive");
            Name = fields.Text("name");
            Extras = fields.Object("extras");
        }

        public string Content { get; }

        public IReadOnlyList<string> Keys { get; }

        public IReadOnlyList<string> SecondaryKeys { get; }

        /// <summary>Rule for the secondary keys: "any", "all", "not_any" or "not_all".</summary>
        public string Logic { get; }

        /// <summary>True = always known.</summary>
        public bool Constant { get; }

        /// <summary>Entries of a higher order stay when the budget is short.</summary>
        public double Order { get; }

        /// <summary>0 to 1.</summary>
        public double Probability { get; }

        public bool CaseSensitive { get; }

        public string Name { get; }

        public IReadOnlyDictionary<string, JsonValue> Extras { get; }
    }
}
