using System.Collections;
using System.Collections.Generic;
using System.Linq;
using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>What a villager can do. "Please meet me at the well": it walks there, and is told when it has arrived.</summary>
    [RequireComponent(typeof(CallsheetNpc))]
    public sealed class Villager : MonoBehaviour
    {
        private const float ArrivedM = 1.5f;

        [Tooltip("How fast it walks, m/s.")]
        [Min(0.1f)]
        [SerializeField]
        private float speed = 2f;

        /// <summary>What "place" may be, asked before each talk.</summary>
        internal IEnumerable<string> Places => Place.All.Select(place => place.name);

        /// <summary>A coroutine: the action is done when it has come to its end.</summary>
        [CallsheetAction("walk_to", "Walks to a place of the village.")]
        internal IEnumerator WalkTo([NamesFrom(nameof(Places))] string place)
        {
            Transform goal = Place.All.First(known => known.name == place).transform;
            while (goal != null && Vector3.Distance(transform.position, OnGround(goal.position)) > ArrivedM)
            {
                transform.position = Vector3.MoveTowards(transform.position, OnGround(goal.position), speed * Time.deltaTime);
                yield return null;
            }
        }

        /// <summary>Looks about: what it returns is what the villager remembers of it.</summary>
        [CallsheetAction("look_around", "Looks who is near.")]
        internal string LookAround()
        {
            CallsheetNpc self = GetComponent<CallsheetNpc>();
            CallsheetNpc other = Nearby.Nearest(transform.position, npc => npc == self ? -1f : 10f);
            return other == null ? "Nobody is near." : other.name + " is near.";
        }

        private Vector3 OnGround(Vector3 position) => new Vector3(position.x, transform.position.y, position.z);
    }
}
