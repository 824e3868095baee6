using System.Collections.Generic;
using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>A place that villagers can be sent to, by the name of its object.</summary>
    public sealed class Place : MonoBehaviour
    {
        /// <summary>Those of the scenes that are loaded.</summary>
        internal static readonly List<Place> All = new List<Place>();

        private void OnEnable() => All.Add(this);

        private void OnDisable() => All.Remove(this);
    }
}
