using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Walks as the player says.</summary>
    [RequireComponent(typeof(CallsheetPlayer))]
    public sealed class PlayerWalk : MonoBehaviour
    {
        [Tooltip("How fast the player walks, m/s.")]
        [Min(0.1f)]
        [SerializeField]
        private float speed = 4f;

        private void Update()
        {
            Vector2 walk = Controls.Walk();
            var step = new Vector3(walk.x, 0f, walk.y);
            transform.position += (step.magnitude > 1f ? step.normalized : step) * (speed * Time.deltaTime);
        }
    }
}
