using UnityEngine;
#if ENABLE_INPUT_SYSTEM && CALLSHEET_INPUT_SYSTEM && CALLSHEET_UGUI
using UnityEngine.EventSystems;
using UnityEngine.InputSystem.UI;
#endif

namespace Callsheet.Samples
{
    /// <summary>
    /// Lets UI Toolkit hear of clicks. With the legacy input manager it does by itself; from the Input System it hears,
    /// before Unity 2023.2, through an EventSystem: one is made if the scene has none.
    /// </summary>
    public sealed class UiInput : MonoBehaviour
    {
#if ENABLE_INPUT_SYSTEM && CALLSHEET_INPUT_SYSTEM && CALLSHEET_UGUI
        private void Awake()
        {
            if (EventSystem.current == null)
            {
                var events = new GameObject("EventSystem");
                events.AddComponent<EventSystem>();
                events.AddComponent<InputSystemUIInputModule>().AssignDefaultActions();
            }
        }
#endif
    }
}
